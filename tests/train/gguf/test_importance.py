"""The importance matrix, compared with the inputs of a layer, one dialogue at a time and without packing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGUFWriter
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from train.data.dialogues import Encoded
from train.gguf import importance
from train.model.packed_attention import NAME as PACKED

BEGINNING = [5, 6, 7]
ROWS = [
    Encoded("one", [*BEGINNING, 8, 9, 10, 11], [0, 0, 0, 0, 0, 1, 1], 2),
    Encoded("two", [*BEGINNING, 12, 13, 14], [0, 0, 0, 0, 1, 1], 2),
]


@pytest.fixture
def model(tiny_base: Path) -> Any:
    whole = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32, attn_implementation=PACKED)
    return get_peft_model(whole, LoraConfig(target_modules="all-linear", init_lora_weights=False))


@pytest.fixture
def file(tmp_path: Path, model: Any) -> Path:
    """A GGUF file that holds only what tensor names depend on."""
    path = tmp_path / "model.gguf"
    writer = GGUFWriter(path, "qwen2")
    writer.add_block_count(model.config.num_hidden_layers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def test_it_is_the_mean_square_of_the_inputs(model: Any, file: Path) -> None:
    found = importance.measure(model, ROWS, [0], file)
    layers = range(model.config.num_hidden_layers)
    parts = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    assert set(found) == {f"blk.{i}.{part}.weight" for i in layers for part in parts}

    seen: list[torch.Tensor] = []
    down = model.get_base_model().model.layers[1].mlp.down_proj
    hook = down.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0][0]))
    model.eval()
    with torch.no_grad():
        for row in ROWS:
            model(torch.tensor([row.input_ids]))
    hook.remove()
    once = torch.cat([seen[0], seen[1][len(BEGINNING) :]])  # the common beginning counts once
    assert np.allclose(found["blk.1.ffn_down.weight"], once.square().mean(0).numpy(), rtol=1e-3)


def test_it_leaves_no_hook_behind(model: Any, file: Path) -> None:
    importance.measure(model, ROWS, [0], file)
    assert not any(module._forward_pre_hooks for module in model.modules())
