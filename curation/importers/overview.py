"""`inosuke import`: what a reader wants to know of each file before it goes into a dataset. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.importers import read
from curation.persona import Persona


def overview(paths: Iterable[Path], persona: Persona, quiet: bool = False) -> list[dict[str, Any]]:
    """Return an entry for each file, in a stable order; a file that cannot be read has its ``error`` set."""
    from tqdm import tqdm

    files = [file for path in paths for file in _walk(path)]
    bar = tqdm(files, desc="import", unit="file", disable=True if quiet else None, leave=False)
    return [_entry(path, persona) for path in bar]


def _walk(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    inside = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
    return inside or [path]


def _entry(path: Path, persona: Persona) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": str(path), "format": None, "encoding": None, "utterances": 0}
    entry |= {"speakers": {}, "samples": {}, "rejected": {}, "error": None}
    if path.is_dir():
        return entry | {"error": "the folder is empty; expected files to import"}
    try:
        found = read(path, persona)
    except InosukeError as error:
        return entry | {"error": str(error)}
    return entry | {
        "format": found.format,
        "encoding": found.encoding,
        "utterances": len(found.utterances),
        "speakers": dict(Counter(u.speaker or "(unknown)" for u in found.utterances).most_common()),
        "samples": dict(Counter(s.kind for s in found.samples)),
        "rejected": dict(Counter(r.reason for r in found.rejected)),
    }
