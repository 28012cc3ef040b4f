"""A tiny Qwen2 that llama.cpp accepts, a finished run on it, and the real converter."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.tools import tokenizers
from tests.train.conftest import ONE, TWO, Project, write_export
from train.gguf import convert


@pytest.fixture(scope="session")
def base_with_merges(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """The tiny model under a tokenizer with one merge: llama.cpp refuses one without any."""
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    backend = json.loads(tokenizers._backend())
    backend["model"]["vocab"]["ta"] = len(backend["model"]["vocab"])
    backend["model"]["merges"] = [["t", "a"]]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(backend)),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
        chat_template=tokenizers.TEMPLATE,
    )
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_base)
    model.resize_token_embeddings(len(tokenizer))
    folder = tmp_path_factory.mktemp("merges") / "tiny-qwen2"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def converter(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The converter is downloaded into the project once, not once a test."""
    folder = convert.ensure(ROOT / "models", print)
    monkeypatch.setattr(convert, "ensure", lambda models, say: folder)
    return folder


@pytest.fixture(scope="session")
def a_run(tmp_path_factory: pytest.TempPathFactory, base_with_merges: Path) -> Path:
    """A project with one finished run called ``r``."""
    project = Project(tmp_path_factory.mktemp("run"), base_with_merges)
    write_export(project.root, [ONE, TWO] * 10, [TWO])
    recipe = project.recipe(quantization="none", epochs=8, samples=0)
    project.train(recipe=recipe, run="r")
    return project.root


@pytest.fixture
def trained(tmp_path: Path, a_run: Path, base_with_merges: Path) -> Project:
    return Project(shutil.copytree(a_run, tmp_path / "project"), base_with_merges)
