"""The adapter alone as a GGUF file, over its base's: the real converter and the real llama.cpp on a tiny Qwen2."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.contracts.gguf import read_gguf_list
from curation.errors import InosukeError
from curation.files import sha256_file
from tests.train.conftest import Project
from train.commands.gguf import gguf as command
from train.gguf import adapter_process, convert, merge_adapter
from train.run.finished import open_run


def gguf(project: Project, run: str, *arguments: str) -> str:
    told = CliRunner().invoke(command, [run, "--persona", str(project.persona), *arguments], catch_exceptions=False)
    return told.output


@pytest.mark.model
def test_the_adapter_over_its_base_measures_what_the_merged_weights_do_and_the_base_is_written_once(
    trained: Project, converter: Path
) -> None:
    models = trained.root / "models"
    assert "adapter.gguf (" in gguf(trained, "r", "--type", "f16", "--adapter")
    content = read_gguf_list(models / "r")
    form, whole = content.adapter, content.files[0]
    assert form is not None and whole.type == form.type == "F16"
    # Each token was said by the server that will serve it; cyllama scored the merged file.
    assert form.loss == pytest.approx(whole.loss, rel=2e-3)
    assert form.weights == open_run(trained.root, "r", print).base.sha256
    assert form.base_sha256 == sha256_file(models / form.base)

    shutil.copytree(models / "r", models / "s")
    (models / "s" / "gguf" / "adapter.gguf").write_bytes(b"GGUF, half of it")
    before = (models / form.base).stat().st_mtime_ns
    told = gguf(trained, "s", "--type", "f16", "--adapter")
    assert "Writing adapter.gguf" in told and "Writing models/base-gguf" not in told
    assert (models / form.base).stat().st_mtime_ns == before
    again = read_gguf_list(models / "s").adapter
    assert again is not None and (again.sha256, again.base) == (form.sha256, form.base)
    # Without the option the form stays in the list.
    gguf(trained, "s", "--type", "f16")
    assert read_gguf_list(models / "s").adapter == again


@pytest.mark.model
def test_rows_that_the_converter_reorders_are_reordered_in_the_adapter(tmp_path: Path, converter: Path) -> None:
    """Llama's queries and keys. Proved by what the converter makes of the merged weights."""
    import numpy as np
    import torch
    from gguf import GGUFReader
    from peft import LoraConfig, get_peft_model
    from safetensors.torch import load_file
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=2,
    )  # fmt: skip
    model: Any = LlamaForCausalLM(config)
    model.save_pretrained(tmp_path / "base")
    lora = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(model, lora).save_pretrained(tmp_path / "run" / "adapter")
    out = tmp_path / "adapter.gguf"
    convert.convert_adapter(converter, tmp_path / "base", tmp_path / "run" / "adapter", out, {"a.note": "kept"})
    reader = GGUFReader(out)
    tensors = {tensor.name: np.asarray(tensor.data, dtype=np.float32) for tensor in reader.tensors}
    assert (reader.fields["a.note"].contents(), reader.fields["adapter.lora.alpha"].contents()) == ("kept", 8.0)
    saved = load_file(tmp_path / "run" / "adapter" / "adapter_model.safetensors")
    weights = {name: b @ a for name, a, b in adapter_process.pairs(saved)}
    for name, moved in (("attn_q", True), ("attn_k", True), ("attn_v", False), ("ffn_down", False)):
        a, b = (tensors[f"blk.0.{name}.weight.{which}"] for which in ("lora_a", "lora_b"))
        module = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj"}
        own = weights[f"model.layers.0.{module.get(name, 'mlp.down_proj')}.weight"]
        heads = {"attn_q": 4, "attn_k": 2}.get(name)
        expected = own
        if heads:  # llama.cpp wants the two halves of a head side by side
            rows, columns = own.shape
            expected = own.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)
        assert torch.allclose(torch.from_numpy(b @ a), expected, atol=2e-2), name
        assert moved == (not torch.allclose(expected, own))


@pytest.mark.model
def test_an_adapter_that_no_gguf_file_can_hold_is_refused(trained: Project, converter: Path) -> None:
    adapter = trained.root / "models" / "r" / "adapter"
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | {"use_dora": True}), encoding="utf-8")
    base = open_run(trained.root, "r", print).base.location
    out = trained.root / "out.gguf"
    with pytest.raises(InosukeError, match=r"the adapter of r cannot be converted .*uses use_dora; expected"):
        convert.convert_adapter(converter, Path(base), adapter, out, {})
    assert not out.exists() and merge_adapter.is_whole(Path(base))
