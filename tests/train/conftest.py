"""A small export, and a tiny Qwen2 model that trains on it within seconds."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.tools.tokenizers import chatml_tokenizer

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as train.commands does; before torch is loaded

Turns = Sequence[tuple[str, str]]

ONE: Turns = [("user", "Ngươi là ai?"), ("assistant", "Ta là chúa tể rừng xanh!")]
TWO: Turns = [
    ("user", "Hôm nay trời mưa to quá."),
    ("assistant", "Mưa thì ta tắm luôn!"),
    ("user", "Không sợ cảm lạnh à?"),
    ("assistant", "Cảm lạnh phải sợ ta!"),
]


def write_export(
    root: Path,
    train: Sequence[Turns],
    evaluation: Sequence[Turns],
    heldout: Sequence[Turns] = (),
    persona: Path = ROOT / "persona.toml",
    lorebook: Sequence[object] = (),
) -> Path:
    """Write ``datasets/export/v1`` below ``root`` as the dataset stage does, and return it.

    With entries of a ``lorebook``, training is told its facts.
    """
    out = root / "datasets" / "export" / "v1"
    (out / "jsonl").mkdir(parents=True)
    for name, dialogues in (("train", train), ("eval", evaluation)):
        rows = [
            {
                "id": f"{name}{i}",
                "kind": "conversation",
                "messages": [{"role": r, "content": c, "name": None} for r, c in turns],
            }
            for i, turns in enumerate(dialogues)
        ]
        _write_lines(rows, out / "jsonl" / f"chat.{name}.jsonl")
    prompts = [
        {"id": f"h{i}", "messages": [{"role": r, "content": c} for r, c in turns], "reference": None, "tests": None}
        for i, turns in enumerate(heldout)
    ]
    _write_lines(prompts, out / "heldout.jsonl")
    for folder in (out, root):
        shutil.copyfile(persona, folder / "persona.toml")
        if lorebook:
            with (folder / "persona.toml").open("a", encoding="utf-8") as file:
                file.write('\n[lorebook]\nfile = "lorebook.json"\ntrain = true\n')
            (folder / "lorebook.json").write_text(json.dumps(lorebook), encoding="utf-8")
    files = {
        p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in out.rglob("*") if p.is_file()
    }
    (out / "manifest.json").write_text(json.dumps({"version": "v1", "files": files}), encoding="utf-8")
    (out.parent / "latest").write_text("v1\n", encoding="utf-8")
    return out


def _write_lines(rows: Sequence[object], file: Path) -> None:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@dataclass(frozen=True)
class Project:
    """A project folder with an export, a tiny base model, and recipes that fit it."""

    root: Path
    base: Path

    @property
    def persona(self) -> Path:
        return self.root / "persona.toml"

    def recipe(self, **changes: Any) -> str:
        """Write a recipe and return its path."""
        import tomli_w

        fields = {
            "base": str(self.base),
            "max_length": 1024,  # the tokenizer has a token a byte
            "lora_rank": 32,
            "lora_alpha": 64,
            "epochs": 2,
            "batch_size": 2,
            "learning_rate": 3e-3,
            "precision": "fp32",  # "auto" would depend on the processor of the machine that runs the tests
            "samples": 1,
        }
        file = self.root / "tiny.toml"
        file.write_text(tomli_w.dumps(fields | changes), encoding="utf-8")
        return str(file)

    def train(self, say: Callable[[str], None] = lambda line: None, **request: Any) -> dict[str, Any]:
        """Train a run and return the content of its ``metrics.json``; ``request`` are fields of pipeline.Request."""
        from train.commands.pipeline import Request, run_training

        done = run_training(Request(persona_file=self.persona, **request), say)
        assert done is not None
        return done[0].to_json()


@pytest.fixture(autouse=True)
def one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """In a model this small, threads only wait for each other."""
    import torch

    threads = torch.get_num_threads()
    if request.node.get_closest_marker("model") is None:
        torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """Byte-level, with Qwen2.5's chat template."""
    return chatml_tokenizer()


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory, tokenizer: Any) -> Path:
    """A random two-layer Qwen2 in a folder, as ``from_pretrained`` wants it."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        # With the usual 0.02 no direction of the (frozen, tied) embeddings can give a logit above 3, so that no adapter
        # could learn a dialogue by heart.
        initializer_range=0.2,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    folder = tmp_path_factory.mktemp("base") / "tiny-qwen2"
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def trainer(tmp_path: Path, tiny_base: Path) -> Callable[..., Project]:
    """Make a project whose export holds the given dialogues."""

    def make(train: Sequence[Turns] = (ONE, TWO), evaluation: Sequence[Turns] = (TWO,), **kwargs: Any) -> Project:
        write_export(tmp_path, train, evaluation, **kwargs)
        return Project(tmp_path, tiny_base)

    return make
