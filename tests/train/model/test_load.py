"""Loading a base: the bits are those that the library would make, and no patch stays behind."""

from __future__ import annotations

from pathlib import Path

import bitsandbytes.nn.modules
import pytest
import torch
from bitsandbytes.functional import quantize_4bit
from transformers import AutoModelForCausalLM, modeling_utils

from train.model.base_model import BaseModel
from train.model.load import load_base
from train.recipe import Recipe


def test_a_base_in_16_bits_is_quantised_as_its_fp32_copy_would_be(tmp_path: Path, tiny_base: Path) -> None:
    whole = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float16)
    whole.save_pretrained(tmp_path)
    opens = modeling_utils.safe_open

    recipe = Recipe(name="r", base="b", quantization="nf4", precision="fp32", double_quant=False)
    loaded = load_base(BaseModel("b", str(tmp_path), "0" * 64), recipe)

    seen = loaded.model.layers[1].mlp.gate_proj.weight
    codes, state = quantize_4bit(whole.model.layers[1].mlp.gate_proj.weight.float(), quant_type="nf4")
    assert torch.equal(seen.data, codes)
    assert torch.equal(seen.quant_state.absmax, state.absmax)
    assert seen.quant_state.dtype == torch.float32
    others = {p.dtype for p in loaded.parameters() if not hasattr(p, "quant_state")}
    assert others == {torch.float32}
    assert torch.equal(loaded.model.embed_tokens.weight, whole.model.embed_tokens.weight.float())
    assert modeling_utils.safe_open is opens


def test_measuring_a_base_leaves_its_weights_as_they_are(tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a CPU that multiplies bf16, bitsandbytes repacks the weights of a layer at its first inference."""
    monkeypatch.setattr(bitsandbytes.nn.modules, "has_avx512bf16", lambda: True)
    recipe = Recipe(name="r", base="b", quantization="nf4", precision="fp32", double_quant=False)
    loaded = load_base(BaseModel("b", str(tiny_base), "0" * 64), recipe)
    weight = loaded.model.layers[1].mlp.gate_proj.weight
    codes, scales = weight.data.clone(), weight.quant_state.absmax.clone()
    with torch.inference_mode():
        loaded.eval()(torch.tensor([[1, 2, 3]]))
    assert weight.quant_state.dtype == torch.float32
    assert torch.equal(weight.data, codes) and torch.equal(weight.quant_state.absmax, scales)
