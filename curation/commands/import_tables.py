"""The tables that `inosuke import` prints: one line a file, or the lines, samples or quarantined pieces of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from curation.codes import REJECTIONS, explain_flag
from curation.console import listed
from curation.importers.inspection import without_lines
from curation.importers.lines.raw_line import clock

_SPEAKERS = 4  # speakers of a file that the table names; --json has all
_TEXT = 300  # characters of a quarantined piece that are shown; --json has all


def overview_table(files: Sequence[Mapping[str, Any]]) -> str:
    """Return a line per file, then the files without lines as one line, then the hints."""
    head = ("file", "format", "encoding", "lines", "speakers", "samples", "quarantined")
    listed_files = [f for f in files if not without_lines(f)]
    parts = [_table([head, *map(_row, listed_files)])] if listed_files else []
    return "\n".join([*parts, *_without_lines(files), *_hints(files)])


def details(files: Sequence[Mapping[str, Any]], show: str) -> Iterator[str]:
    """Yield the lines of what ``--show`` asks for, file by file."""
    for file in files:
        if without_lines(file):
            continue
        yield f"{file['path']}\n"
        if file["error"]:
            yield f"  Error: {file['error']}\n\n"
            continue
        rows = list(_SHOWN[show](file))
        yield from (f"  {row}\n" for row in rows or ["(none)"])
        yield "\n"
    yield from (f"{line}\n" for line in (*_without_lines(files), *_hints(files)))


def _lines(file: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (
            "" if line["start_ms"] is None else clock(line["start_ms"]),
            line["speaker"] or "?",
            line["text"],
            ", ".join(line["flags"]),
        )
        for line in file["lines"]
    ]
    who = max((len(row[1]) for row in rows), default=0)
    for time, speaker, text, flags in rows:
        yield f"{time:<12}  {speaker.ljust(who)}  {text}" + (f"   [{flags}]" if flags else "")


def _samples(file: Mapping[str, Any]) -> Iterator[str]:
    for sample in file["shown_samples"]:
        why = "; ".join(explain_flag(code, "en") for code in sample["flags"])
        yield f"{sample['id']}  {sample['kind']}" + (f"   [{why}]" if why else "")
        for message in sample["messages"]:
            yield f"    {message.get('name') or message['role']}: {message['content']}"


def _set_aside(file: Mapping[str, Any]) -> Iterator[str]:
    for reason, number in Counter(piece["reason"] for piece in file["set_aside"]).most_common():
        words = REJECTIONS[reason].words("en") if reason in REJECTIONS else ""
        yield f"{reason} {number:,}: {words}"
        for piece in (p for p in file["set_aside"] if p["reason"] == reason):
            text = " ".join(piece["text"].split())
            yield f"    {piece['locator']}  {text[:_TEXT]}{'…' if len(text) > _TEXT else ''}"


_SHOWN = {"lines": _lines, "samples": _samples, "set-aside": _set_aside}


def _without_lines(files: Iterable[Mapping[str, Any]]) -> list[str]:
    kinds = Counter(kind for f in files if (kind := without_lines(f)))
    number = kinds.total()
    if not number:
        return []
    return [f"{number:,} file{'s hold' if number > 1 else ' holds'} no lines: {', '.join(sorted(kinds))}"]


def _hints(files: Iterable[Mapping[str, Any]]) -> list[str]:
    found: dict[str, list[str]] = {}
    for file in files:
        for note in file["notes"]:
            found.setdefault(note, []).append(file["path"])
    return [f"{paths[0]}{f' and {len(paths) - 1:,} more' if len(paths) > 1 else ''}: {n}" for n, paths in found.items()]


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in rows
    )


def _row(file: Mapping[str, Any]) -> tuple[str, ...]:
    if file["error"]:
        return (file["path"], "-", "-", "-", "-", "-", file["error"])
    speakers = ", ".join(f"{name} {n}" for name, n in list(file["speakers"].items())[:_SPEAKERS])
    more = f" +{len(file['speakers']) - _SPEAKERS}" if len(file["speakers"]) > _SPEAKERS else ""
    return (
        file["path"],
        file["format"],
        file["encoding"],
        f"{file['utterances']:,}",
        (speakers + more) or "-",
        listed(file["samples"]) or "-",
        listed(file["rejected"]) or "-",
    )
