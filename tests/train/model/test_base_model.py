"""What a recipe's ``base`` may name: an embedded model, a folder, a GGUF file or a Hub id."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from curation.errors import InosukeError, UsageError
from train.model import embedded
from train.model.base_model import resolve

WEIGHTS = b"GGUF stand-in"
LANGUAGES = ("vi", "en")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_base_is_a_folder_or_a_hub_id(tmp_path: Path, tiny_base: Path) -> None:
    weights = sha((tiny_base / "model.safetensors").read_bytes())
    local = resolve(str(tiny_base), tmp_path, LANGUAGES, print)
    assert (local.name, local.sha256, local.hub_id, local.row) == ("tiny-qwen2", weights, "tiny-qwen2", None)
    hub = resolve("Qwen/Qwen2.5-3B-Instruct", tmp_path, LANGUAGES, print)
    assert (hub.location, hub.is_local) == ("Qwen/Qwen2.5-3B-Instruct", False)
    assert resolve("qwen2.5-3b-instruct", tmp_path, LANGUAGES, print) == hub  # the table's name for it
    stranger = resolve("someone/a-model", tmp_path, LANGUAGES, print)
    assert (stranger.location, stranger.row) == ("someone/a-model", None)
    with pytest.raises(UsageError, match=r"'no model': neither a name that `inosuke bases` lists \(gemma-3-270m, "):
        resolve("no model", tmp_path, LANGUAGES, print)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"not a base model. Expected a folder that contains config.json"):
        resolve("empty", tmp_path, LANGUAGES, print)


def test_a_gguf_file_is_turned_into_a_folder_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conversions = []

    def convert(gguf: Path, folder: Path) -> None:
        conversions.append(gguf)
        (folder / "model.safetensors").write_bytes(gguf.read_bytes() * 2)
        (folder / "config.json").write_text("{}", encoding="utf-8")

    monkeypatch.setattr(embedded, "convert_gguf", convert)
    gguf = tmp_path / "My-Model.Q4_K_M.gguf"
    gguf.write_bytes(WEIGHTS)
    first = resolve("My-Model.Q4_K_M.gguf", tmp_path, LANGUAGES, print)
    again = resolve(str(gguf), tmp_path, LANGUAGES, print)
    assert first == again
    assert len(conversions) == 1
    assert Path(first.location) == tmp_path / "models" / "base" / f"My-Model.Q4_K_M-{sha(WEIGHTS)[:12]}"
    assert (first.name, first.sha256) == (Path(first.location).name, sha(WEIGHTS * 2))
    assert resolve(first.location, tmp_path, LANGUAGES, print) == first  # as the metrics of a run name it later
    (Path(first.location) / "inosuke.json").write_text("[]", encoding="utf-8")
    assert resolve(str(gguf), tmp_path, LANGUAGES, print) == first  # a damaged stamp: converted again
    assert len(conversions) == 2
    gguf.write_bytes(b"another model")
    assert resolve(str(gguf), tmp_path, LANGUAGES, print).location != first.location
    with pytest.raises(UsageError, match=r"gone.gguf: no such file. Expected a GGUF file"):
        resolve("gone.gguf", tmp_path, LANGUAGES, print)


def test_a_file_that_is_not_a_gguf_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF, so to speak")
    with pytest.raises(InosukeError, match=r"bad.gguf: transformers cannot read it"):
        resolve("bad.gguf", tmp_path, LANGUAGES, print)
    assert sorted(p.name for p in (tmp_path / "models" / "base").iterdir() if p.name != ".lock") == []
