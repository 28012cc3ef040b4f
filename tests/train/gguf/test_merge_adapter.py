"""Merging: the merged model in 16 bits predicts what base and adapter predict, and only the right base is accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.errors import InosukeError
from inosuke import cli
from tests.train.conftest import ONE, TWO, Project, write_export
from train.gguf.merge_adapter import merge_run


@pytest.fixture
def half(tmp_path: Path, tiny_base: Path) -> Project:
    """A run on a base in float16, as most models are stored."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base: Any = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float16)
    base.save_pretrained(tmp_path / "half")
    AutoTokenizer.from_pretrained(tiny_base).save_pretrained(tmp_path / "half")
    project = Project(tmp_path, tmp_path / "half")
    write_export(tmp_path, [ONE, TWO] * 4, [TWO])
    recipe = project.recipe(quantization="none", epochs=4, samples=0)
    project.train(recipe=recipe, run="r")
    return project


def logits(model: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model.float().eval()(torch.arange(200)[None]).logits


@pytest.mark.slow
def test_merged_and_adapted_give_equal_logits_and_the_same_next_tokens(half: Project) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from train.model.load import load_adapter

    folder = merge_run(half.persona, "r", lambda line: None)
    assert sorted(p.name for p in folder.iterdir() if p.suffix in (".safetensors", ".toml")) == [
        *("model.safetensors", "persona.toml"),
    ]
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["dtype"] == "float16"
    plain = logits(AutoModelForCausalLM.from_pretrained(half.base))
    adapted = logits(load_adapter(AutoModelForCausalLM.from_pretrained(half.base), half.root / "models/r/adapter"))
    merged = logits(AutoModelForCausalLM.from_pretrained(folder))
    # float16 keeps 11 bits of each weight; two layers of sums on top. The adapter moves logits 100 times further.
    torch.testing.assert_close(merged, adapted, rtol=0, atol=0.05)
    assert (adapted - plain).abs().max() > 5
    sure = adapted.topk(2).values
    sure = (sure[..., 0] - sure[..., 1]) > 0.1
    assert torch.equal(merged.argmax(-1)[sure], adapted.argmax(-1)[sure])
    assert sure.float().mean() > 0.7


@pytest.mark.slow
def test_an_adapter_of_another_base_is_refused_and_an_older_merge_stays(half: Project) -> None:
    folder = merge_run(half.persona, "r", lambda line: None)
    before = (folder / "model.safetensors").read_bytes()
    weights = half.base / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    with pytest.raises(
        InosukeError, match=r"r: its adapter was trained on weights with SHA-256 .* Put the first model"
    ):
        merge_run(half.persona, "r", lambda line: None)
    assert (folder / "model.safetensors").read_bytes() == before


@pytest.mark.slow
def test_an_adapter_of_another_shape_is_refused_even_where_no_hash_is_known(half: Project) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    from train.model.load import load_adapter

    config = AutoConfig.from_pretrained(half.base)
    config.intermediate_size *= 2
    with pytest.raises(InosukeError, match="this adapter does not fit the base model"):
        load_adapter(AutoModelForCausalLM.from_config(config), half.root / "models/r/adapter")


@pytest.mark.slow
def test_an_adapter_that_names_another_base_becomes_no_gguf_file(
    half: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = half.root / "models" / "r" / "adapter" / "adapter_config.json"
    content = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps(content | {"base_model_name_or_path": "google/gemma-3-270m"}), encoding="utf-8")
    monkeypatch.chdir(half.root)
    for command in ("merge", "gguf", "evaluate"):
        done = CliRunner().invoke(cli, [command, "r", "--persona", str(half.persona)])
        assert isinstance(done.exception, InosukeError)
        assert "made for google/gemma-3-270m, and the run was trained on half" in str(done.exception)
