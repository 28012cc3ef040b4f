"""Loading a base: the bits are those that the library would make, and they stay as they are."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bitsandbytes.nn.modules
import pytest
import torch
from bitsandbytes.functional import quantize_4bit
from transformers import AutoModelForCausalLM

from curation import bases
from curation.errors import InosukeError
from tests.tools.tokenizers import chatml_tokenizer
from tests.train.conftest import ONE, Project
from train.model.base_model import BaseModel
from train.model.load import add_adapter, load_adapter, load_base, load_tokenizer, save_adapter, tokenizer_of
from train.recipe import Recipe


def test_a_base_in_16_bits_is_quantised_as_its_fp32_copy_would_be(tmp_path: Path, tiny_base: Path) -> None:
    whole = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float16)
    whole.save_pretrained(tmp_path)

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


RECIPE = Recipe(name="r", base="b", quantization="none", precision="fp32", lora_rank=4, lora_alpha=8)


@pytest.fixture
def adapter(tmp_path: Path, tiny_base: Path) -> tuple[BaseModel, Path]:
    base = BaseModel("b", str(tiny_base), "0" * 64)
    save_adapter(add_adapter(load_base(base, RECIPE), base, RECIPE), base, tmp_path / "adapter")
    return base, tmp_path / "adapter"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "adapter_config.json is missing. Name a finished run"),
        ("{", "adapter_config.json: cannot be read"),
        ("[1]", "is not the configuration of a LoRA adapter"),
        ("{}", "is not the configuration of a LoRA adapter"),
        ('{"peft_type": "IA3"}', "is not the configuration of a LoRA adapter"),
        ('{"peft_type": "LORA", "target_modules": 3}', "this adapter does not fit the base model"),
        ('{"peft_type": "LORA", "target_modules": ["nowhere"]}', "this adapter does not fit the base model"),
    ],
)
def test_a_damaged_configuration_of_an_adapter_is_named(
    adapter: tuple[BaseModel, Path], content: str | None, message: str
) -> None:
    base, folder = adapter
    if content is None:
        (folder / "adapter_config.json").unlink()
    else:
        (folder / "adapter_config.json").write_text(content, encoding="utf-8")
    with pytest.raises(InosukeError, match=message):
        load_adapter(load_base(base, RECIPE), folder)


@pytest.fixture
def plain(tmp_path: Path, tiny_base: Path) -> Path:
    """Return a copy of the tiny base without a chat template."""
    folder = tmp_path / "plain"
    shutil.copytree(tiny_base, folder)
    tokenizer: Any = chatml_tokenizer()
    tokenizer.chat_template = None
    (folder / "chat_template.jinja").unlink()
    tokenizer.save_pretrained(folder)
    return folder


def test_a_base_without_a_chat_template_needs_one_from_elsewhere_or_none(plain: Path, tiny_base: Path) -> None:
    with pytest.raises(InosukeError, match=r'no chat template.*`prompt = "alpaca"`'):
        load_tokenizer(str(plain))
    assert load_tokenizer(str(plain), needs_template=False).chat_template is None
    assert load_tokenizer(str(plain), "{{ messages }}").chat_template == "{{ messages }}"
    assert load_tokenizer(str(tiny_base), "{{ messages }}").chat_template != "{{ messages }}"  # its own comes first


def test_a_base_in_the_table_gets_the_templates_of_the_table(plain: Path) -> None:
    known = next(b for b in bases.all_bases() if b.chat_template)
    found = tokenizer_of(BaseModel(known.name, str(plain), "0" * 64), RECIPE)
    assert found.chat_template == known.chat_template


@pytest.mark.slow
def test_a_base_without_a_chat_template_trains_with_alpaca_prompts(
    plain: Path, trainer: Callable[..., Project]
) -> None:
    project = trainer(train=[ONE] * 2, evaluation=[ONE])
    recipe = Project(project.root, plain).recipe(quantization="none", prompt="alpaca", epochs=1)
    assert project.train(recipe=recipe, run="r")["prompt"] == "alpaca"
    with pytest.raises(InosukeError, match="no chat template"):
        project.train(recipe=Project(project.root, plain).recipe(quantization="none"), run="s")
