"""The overview of files that `inosuke import` prints: what each would give to a dataset."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.folders import Folders
from curation.importers import cache
from curation.importers.many_files import Job, read_all
from curation.importers.source.source_file import read_bytes
from curation.persona import Persona
from curation.record import Imported, Rejected, Sample
from curation.transcripts.scenes import to_samples


def overview(
    paths: Iterable[Path], persona: Persona, quiet: bool = False, dry_run: bool = False
) -> list[dict[str, Any]]:
    """Return an entry for each file, in a stable order; one that cannot be read has its ``error`` set.

    The keys are ``path, format, encoding, utterances, speakers, samples, rejected, error``. The records are cached
    under ``datasets/build/imports/`` for the next `inosuke dataset`; with ``dry_run`` nothing is written.
    """
    files = [file for path in paths for file in _walk(path)]
    jobs = [Job(path, path.as_posix()) for path in files if not path.is_dir()]
    folder = None if dry_run else Folders(persona.root).imports
    if folder is None:
        return _look(files, jobs, persona, None, quiet)
    key = _key([str(path) for path in files], jobs, persona)
    kept = cache.get(folder, key)
    if kept is not None:
        answer: list[dict[str, Any]] = json.loads(kept)["files"]
        return answer
    entries = _look(files, jobs, persona, folder, quiet)
    cache.put(folder, key, json.dumps({"files": entries}).encode() + b"\n")
    return entries


def _key(names: Sequence[str], jobs: Iterable[Job], persona: Persona) -> str:
    """Return the cache key of the overview of these files; scenes depend on all of them together."""
    digest = hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape"))
    for job in jobs:
        try:
            digest.update(cache.key(job.path, read_bytes(job.path), job.name, job.rights, persona).encode())
        except InosukeError as error:  # the overview reports it; here it only changes the key
            digest.update(str(error).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _look(
    files: Sequence[Path], jobs: Sequence[Job], persona: Persona, folder: Path | None, quiet: bool
) -> list[dict[str, Any]]:
    found = dict(zip((job.path for job in jobs), read_all(jobs, persona, folder, quiet), strict=True))
    read = [(path, result) for path, result in found.items() if isinstance(result, Imported)]
    samples, left_over = to_samples([result for _, result in read], persona)
    by_file = _by_file(read, samples, left_over)
    return [_entry(path, found.get(path), *by_file.get(path, ((), ()))) for path in files]


def _walk(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    inside = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
    return inside or [path]


def _by_file(
    read: Sequence[tuple[Path, Imported]], samples: Iterable[Sample], rejected: Iterable[Rejected]
) -> dict[Path, tuple[list[Sample], list[Rejected]]]:
    """Return the samples and rejections of the scenes for each file; the members of a zip belong to the zip."""
    owner = {u.source.path: path for path, result in read for u in result.utterances}
    found: dict[Path, tuple[list[Sample], list[Rejected]]] = {}
    for sample in samples:
        found.setdefault(owner[sample.source.path], ([], []))[0].append(sample)
    for piece in rejected:
        found.setdefault(owner[piece.source.path], ([], []))[1].append(piece)
    return found


def _entry(
    path: Path, result: Imported | InosukeError | None, samples: Iterable[Sample], left_over: Iterable[Rejected]
) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": str(path), "format": None, "encoding": None, "utterances": 0}
    entry |= {"speakers": {}, "samples": {}, "rejected": {}, "error": None}
    if result is None:
        return entry | {"error": "the folder is empty. Expected files to import"}
    if isinstance(result, InosukeError):
        return entry | {"error": str(result)}
    return entry | {
        "format": result.format,
        "encoding": result.encoding,
        "utterances": len(result.utterances),
        "speakers": dict(Counter(u.speaker or "(unknown)" for u in result.utterances).most_common()),
        "samples": dict(Counter(s.kind for s in (*result.samples, *samples))),
        "rejected": dict(Counter(r.reason for r in (*result.rejected, *left_over)).most_common()),
    }
