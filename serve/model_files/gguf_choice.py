"""Chooses the GGUF file of a run to serve and checks that it is intact. Loads no model, knows nothing of engines.

In: ``models/<run>/gguf/model-<TYPE>.gguf`` and ``gguf.json``, the list that `inosuke gguf` writes beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from curation.contracts.gguf import GgufFile, read_gguf_list
from curation.errors import InosukeError, UsageError
from curation.files import sha256_file

# The order where the list names no file to serve: the fastest type first, an unknown one last.
PREFERENCE = ("Q4_K_M", "Q5_K_M", "Q4_1", "Q4_0", "Q6_K", "Q8_0", "F16", "BF16", "F32")
_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_REMEDY = "Run `inosuke gguf` again, or serve the adapter with --engine transformers."


@dataclass(frozen=True, slots=True)
class Gguf:
    """One file. ``type`` is its quantization, such as ``Q4_K_M``; ``sha256`` is the checked hash of its bytes."""

    path: Path
    type: str
    sha256: str | None = None


def available(run: Path) -> list[Gguf]:
    """Return the files of a run's folder, the one to serve first. Raises InosukeError for a damaged gguf.json."""
    served = read_gguf_list(run).served
    found = [Gguf(p, p.stem.removeprefix("model-")) for p in (run / "gguf").glob("model-*.gguf")]

    def order(file: Gguf) -> tuple[bool, int, str]:
        known = file.type in PREFERENCE
        return file.path.name != served, PREFERENCE.index(file.type) if known else len(PREFERENCE), file.type

    return sorted(found, key=order)


def choose(run: Path, wanted: str | None = None) -> Gguf:
    """Return the file to serve, checked: the one of the type ``wanted``, or the best.

    Raises InosukeError for a missing or damaged file.
    """
    files = available(run)
    if not files:
        raise InosukeError(
            f"the run {run.name} has no GGUF file, which the engine `llamacpp` serves. Make one with "
            f"`inosuke gguf {run.name}`, or leave --engine out."
        )
    chosen = next((g for g in files if wanted is None or g.type.upper() == wanted.upper()), None)
    if chosen is None:
        types = ", ".join(g.type for g in files)
        raise UsageError(f"the run {run.name} has no GGUF file of the type {wanted!r}. Available: {types}.")
    entry = read_gguf_list(run).entry(chosen.path.name)
    _check(chosen.path, entry)
    return replace(chosen, sha256=entry.sha256 if entry else None)


def _check(path: Path, entry: GgufFile | None) -> None:
    with path.open("rb") as file:
        head = file.read(8)
    size = path.stat().st_size
    if head[:4] != _MAGIC:
        raise InosukeError(f"{path} is damaged: it begins with {head[:4]!r}; expected {_MAGIC!r}. {_REMEDY}")
    if (version := int.from_bytes(head[4:], "little")) not in _VERSIONS:
        raise InosukeError(f"{path} has the GGUF version {version}; expected 2 or 3. {_REMEDY}")
    if entry and entry.bytes is not None and entry.bytes != size:
        raise InosukeError(f"{path} is damaged: it has {size:,} bytes; gguf.json lists {entry.bytes:,}. {_REMEDY}")
    if entry and entry.sha256 is not None and (seen := sha256_file(path)) != entry.sha256:
        raise InosukeError(
            f"{path} is damaged: its SHA-256 is {seen[:12]}…; gguf.json lists {entry.sha256[:12]}…. {_REMEDY}"
        )
