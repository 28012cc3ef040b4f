"""Formats that give each line a start and no end: TMPlayer (.txt), LRC (.lrc); and MPL2, with ends, of their family.

00:00:01:words|second line        TMPlayer, also with `=`, and with `,1` for the first of two lines
[00:01.50]words                   LRC; several times before one text, `[offset:+500]` for all of them
[10][25]words|second line         MPL2: tenths of a second
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from curation.importers.lines.raw_line import RawLine, clock
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

_TMPLAYER = re.compile(r"^\s*(\d{1,2}):(\d{1,2}):(\d{1,2})(?:,(\d{1,2}))?\s?[:=](?P<words>.*)$")
_MPL2 = re.compile(r"^\s*\[(\d{1,9})\]\s*\[(\d{0,9})\](?P<words>.*)$")
_LRC_TIME = re.compile(r"\s*\[(\d{1,4}):(\d{1,2})(?:[.:](\d{1,3}))?\]")
_LRC_FIELD = re.compile(r"^\s*\[(?P<field>[A-Za-z#]\w*):(?P<value>[^\]]*)\]\s*$")
_LRC_WORD_TIME = re.compile(r"<\d{1,4}:\d{1,2}(?:[.:]\d{1,3})?>")
# How long a line is shown where the format gives no end: a second and the time to read it, as players do.
_LEAST_MS = 1000
_MS_A_LETTER = 70

Found = tuple[int, int | None, str]


def read_tmplayer(file: SourceFile, persona: Persona) -> Imported:
    """Read TMPlayer lines."""
    return _read(file, persona, "tmplayer", "no hours:minutes:seconds")


def read_mpl2(file: SourceFile, persona: Persona) -> Imported:
    """Read MPL2 lines."""
    return _read(file, persona, "mpl2", "no [start][end]")


def read_lrc(file: SourceFile, persona: Persona) -> Imported:
    """Read LRC lines in the order of their times; the fields of its head are not lines."""
    return _read(file, persona, "lrc", "no [minutes:seconds]")


def _read(file: SourceFile, persona: Persona, name: str, expected: str) -> Imported:
    rows: list[Found] = []
    rejected: list[Rejected] = []
    offset = 0
    for number, row in enumerate(file.text.split("\n"), 1):
        if not row.strip():
            continue
        field = _LRC_FIELD.match(row) if name == "lrc" else None
        if field:
            value = field["value"].strip()
            if field["field"].lower() == "offset" and re.fullmatch(r"[+-]?\d{1,7}", value):
                offset = int(value)
            continue
        found = list(READERS[name](row))
        if found and rows and found[0][2][:1] == "\n" and found[0][0] == rows[-1][0]:
            rows[-1] = (*rows[-1][:2], rows[-1][2] + found[0][2])  # the second line of a text
        else:
            rows += found
        if not found:
            source = file.at(f"line {number}", name)
            rejected.append(Rejected(source=source, reason="bad_cue", text=row, detail=expected))
    rows = [(max(start - offset, 0), end, words) for start, end, words in rows]
    rows.sort(key=lambda row: row[0])
    lines: list[RawLine] = []
    for at, (start, end, words) in enumerate(rows):
        if end is None:
            until, after = next(((t, w) for t, _, w in rows[at + 1 : at + 9] if t > start), (None, ""))
            shown = start + _LEAST_MS + _MS_A_LETTER * len(words)
            # A line without words takes this one off the screen.
            end = shown if until is None else min(shown, until) if after.strip() else until
        if words.strip():
            place = f"cue {len(lines) + 1} {clock(start)}"
            lines.append(RawLine(text=words, locator=place, start_ms=start, end_ms=max(start, end)))
    return to_imported(file, lines, persona, name, rejected)


def _tmplayer(row: str) -> Iterator[Found]:
    if match := _TMPLAYER.match(row):
        hours, minutes, seconds, row_number, words = match.groups()
        below = "\n" if int(row_number or 1) > 1 else ""
        yield ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000, None, below + words.replace("|", "\n")


def _mpl2(row: str) -> Iterator[Found]:
    if match := _MPL2.match(row):
        start, end, words = match.groups()
        # A slash before a line sets it in italics.
        text = "\n".join(part.strip().removeprefix("/") for part in words.split("|"))
        yield int(start) * 100, int(end) * 100 if end else None, text


def _lrc(row: str) -> Iterator[Found]:
    starts, at = [], 0
    while match := _LRC_TIME.match(row, at):
        minutes, seconds, fraction = match.groups()
        starts.append((int(minutes) * 60 + int(seconds)) * 1000 + int((fraction or "0").ljust(3, "0")))
        at = match.end()
    words = _LRC_WORD_TIME.sub("", row[at:]).strip()
    yield from ((start, None, words) for start in starts)


READERS = {"tmplayer": _tmplayer, "mpl2": _mpl2, "lrc": _lrc}
