"""The overview of files that `inosuke import` prints: what each would give to a dataset."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from curation import faults
from curation.checks import check_reply, check_sample
from curation.cleaning.language import language_flags
from curation.errors import InosukeError
from curation.folders import Folders
from curation.importers import cache
from curation.importers.many_files import Job
from curation.importers.no_lines import FORMAT
from curation.importers.source.source_file import read_bytes
from curation.importers.together import files_of, read_together
from curation.persona import Persona
from curation.record import Flag, Imported, Rejected, Sample, Utterance, messages_to_json
from curation.transcripts.names import names_like
from curation.transcripts.scenes import to_samples
from curation.transcripts.speakers import WEAK, confidence

Show = Literal["lines", "samples", "set-aside"]
# Formats whose files never hold times.
_TIMELESS = frozenset({"script", "wiki", "mokuro", "manga109", "magi"})


def overview(
    paths: Iterable[Path], persona: Persona, quiet: bool = False, dry_run: bool = False, show: Show | None = None
) -> list[dict[str, Any]]:
    """Return an entry for each file, in a stable order; one that cannot be read has its ``error`` set.

    The keys are ``path, format, encoding, utterances, speakers, samples, rejected, notes, error``. ``show`` adds
    ``lines`` (speaker, text, start_ms, flags), ``shown_samples`` (id, kind, flags, messages) or ``set_aside`` (reason,
    text, locator). The records are cached under ``datasets/build/imports/`` for the next `inosuke dataset`; with
    ``dry_run`` nothing is written.
    """
    files = [file for path in paths for file in files_of(path)]
    jobs = [Job(path, path.as_posix()) for path in files if not path.is_dir()]
    folder = None if dry_run else Folders(persona.root).imports
    if folder is None or show is not None:
        return _look(files, persona, folder, quiet, show)
    key = _key([str(path) for path in files], jobs, persona)
    kept = cache.get(folder, key)
    if kept is not None:
        answer: list[dict[str, Any]] = json.loads(kept)["files"]
        return answer
    entries = _look(files, persona, folder, quiet, None)
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
    files: Sequence[Path],
    persona: Persona,
    folder: Path | None,
    quiet: bool,
    show: Show | None,
) -> list[dict[str, Any]]:
    found = dict(read_together(files, persona, folder, quiet))
    read = [(path, result) for path, result in found.items() if isinstance(result, Imported)]
    samples, left_over = to_samples([result for _, result in read], persona)
    by_file = _by_file(read, samples, left_over)
    entries = []
    for path in files:
        result, (made, aside) = found.get(path), by_file.get(path, ([], []))
        entry = _entry(path, result, made, aside, persona)
        if isinstance(result, Imported) and show is not None:
            entry |= _DETAILS[show](result, made, aside, persona)
        entries.append(entry)
    return entries


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
    path: Path,
    result: Imported | InosukeError | None,
    samples: Iterable[Sample],
    left_over: Iterable[Rejected],
    persona: Persona,
) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": str(path), "format": None, "encoding": None, "utterances": 0}
    entry |= {"speakers": {}, "samples": {}, "rejected": {}, "notes": [], "error": None}
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
        "notes": [*result.notes, *_hints(result, persona)],
    }


def _hints(result: Imported, persona: Persona) -> list[str]:
    """Return what a user should know about a whole file before its lines are cut."""
    lines = result.utterances
    if not lines:
        return []
    hints = []
    who = Counter(u.speaker for u in lines if u.speaker)
    if like := names_like(persona, who):
        names = ", ".join(f"{name} {who[name]}" for name in like)
        hints.append(f"names like {persona.name}'s: {names}. If one of them is the character, add it to `aliases`")
    timed = result.format.partition(" ")[0] not in _TIMELESS and not any("time" in note for note in result.notes)
    if timed and all(u.start_ms is None for u in lines):
        hints.append("no times found: scenes end only where the file marks them")
    if not who:
        hints.append(
            "no speakers: this would help: a track of the same episode with names (`ep 1.en.ass` beside "
            "`ep 1.vi.ass`), or labels such as `Name: words`"
        )
    return hints


def _lines(
    result: Imported, samples: Sequence[Sample], left_over: Sequence[Rejected], persona: Persona
) -> dict[str, Any]:
    return {
        "lines": [
            {"speaker": u.speaker, "text": u.text, "start_ms": u.start_ms, "flags": _line_flags(u, persona)}
            for u in result.utterances
        ]
    }


def _line_flags(line: Utterance, persona: Persona) -> list[str]:
    if line.speaker is None:
        return ["unknown_speaker"]
    if not persona.is_character(line.speaker):
        return ["similar_name"] if names_like(persona, [line.speaker]) else []
    weak = ["weak_speaker"] if confidence(line) < WEAK else []
    found = (
        *language_flags([line.text], persona),
        *check_reply(line.text, persona),
        *faults.in_reply(line.text, persona),
    )
    return [*weak, *_codes(found)]


def _samples(
    result: Imported, samples: Sequence[Sample], left_over: Sequence[Rejected], persona: Persona
) -> dict[str, Any]:
    return {
        "shown_samples": [
            {
                "id": s.id,
                "kind": s.kind,
                "flags": _codes(
                    (
                        *s.flags,
                        *language_flags(s.replies, persona),
                        *check_sample(s, persona),
                        *faults.in_messages(s.messages, persona),
                    )
                ),
                "messages": messages_to_json(s.messages),
            }
            for s in (*result.samples, *samples)
        ]
    }


def _codes(flags: Iterable[Flag]) -> list[str]:
    return list(dict.fromkeys(f.code for f in flags))


def _set_aside(
    result: Imported, samples: Sequence[Sample], left_over: Sequence[Rejected], persona: Persona
) -> dict[str, Any]:
    pieces = (*result.rejected, *left_over)
    return {"set_aside": [{"reason": r.reason, "text": r.text, "locator": r.source.locator} for r in pieces]}


_DETAILS = {"lines": _lines, "samples": _samples, "set-aside": _set_aside}


def without_lines(entry: Mapping[str, Any]) -> str:
    """Return the kind of a file that holds no lines by nature ("fonts"), "" for every other entry."""
    form = entry["format"] or ""
    return form[len(FORMAT) + 2 : -1] if form.startswith(f"{FORMAT} (") else ""
