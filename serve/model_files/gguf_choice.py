"""The GGUF files of a run, as `inosuke gguf` leaves them: finds the one to serve and checks that it is whole.

In: ``models/<run>/gguf/model-<TYPE>.gguf`` and, beside them, ``gguf.json`` with each file's size and SHA-256, and the
name of the one to serve: the smallest that measured well. Knows nothing of engines; loads no model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ValidationError

from curation.errors import InosukeError, UsageError
from curation.files import sha256_file

# Where no list says which was measured to be good: the quickest first, a type that is not here last.
PREFERENCE = ("Q4_K_M", "Q5_K_M", "Q4_1", "Q4_0", "Q6_K", "Q8_0", "F16", "BF16", "F32")
_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_REMEDY = "Run `inosuke gguf` again, or serve the adapter with --engine transformers."


@dataclass(frozen=True, slots=True)
class Gguf:
    """One file; ``type`` is its quantization, such as ``Q4_K_M``, ``sha256`` what its bytes were checked against."""

    path: Path
    type: str
    sha256: str | None = None


class _File(BaseModel):
    file: str
    sha256: str | None = None
    bytes: int | None = None


class _Manifest(BaseModel):
    files: list[_File] = []
    served: str | None = None


def available(run: Path) -> list[Gguf]:
    """Return the files of a run folder, the one to serve first. Raises InosukeError for a broken gguf.json."""
    served = _manifest(run).served
    found = [Gguf(p, p.stem.removeprefix("model-")) for p in (run / "gguf").glob("model-*.gguf")]

    def order(file: Gguf) -> tuple[bool, int, str]:
        known = file.type in PREFERENCE
        return file.path.name != served, PREFERENCE.index(file.type) if known else len(PREFERENCE), file.type

    return sorted(found, key=order)


def choose(run: Path, wanted: str | None = None) -> Gguf:
    """Return the file to serve, checked. Raises InosukeError for a missing or damaged one, saying what to do."""
    files = available(run)
    if not files:
        raise InosukeError(
            f"the run {run.name} has no GGUF, which the engine `llamacpp` serves. Make one with "
            f"`inosuke gguf {run.name}`, or leave --engine out."
        )
    chosen = next((g for g in files if wanted is None or g.type.upper() == wanted.upper()), None)
    if chosen is None:
        there = ", ".join(g.type for g in files)
        raise UsageError(f"the run {run.name} has no GGUF of the type {wanted!r}. There: {there}.")
    entry = next((e for e in _manifest(run).files if e.file == chosen.path.name), None)
    _check(chosen.path, entry)
    return replace(chosen, sha256=entry.sha256 if entry else None)


def _manifest(run: Path) -> _Manifest:
    """Return what is known of a run's files; nothing where somebody put a GGUF there by hand."""
    path = run / "gguf" / "gguf.json"
    if not path.is_file():
        return _Manifest()
    try:
        return _Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InosukeError(f"{path}: {where}: {first['msg']}. Expected what `inosuke gguf` writes. {_REMEDY}") from None


def _check(path: Path, entry: _File | None) -> None:
    with path.open("rb") as file:
        head = file.read(8)
    size = path.stat().st_size
    if head[:4] != _MAGIC:
        raise InosukeError(f"{path} is damaged: it begins with {head[:4]!r}; expected {_MAGIC!r}. {_REMEDY}")
    if (version := int.from_bytes(head[4:], "little")) not in _VERSIONS:
        raise InosukeError(f"{path} has the GGUF version {version}; expected 2 or 3. {_REMEDY}")
    if entry and entry.bytes is not None and entry.bytes != size:
        raise InosukeError(f"{path} is damaged: {size:,} bytes; gguf.json says {entry.bytes:,}. {_REMEDY}")
    if entry and entry.sha256 is not None and (seen := sha256_file(path)) != entry.sha256:
        raise InosukeError(
            f"{path} is damaged: its SHA-256 is {seen[:12]}…; gguf.json says {entry.sha256[:12]}…. {_REMEDY}"
        )
