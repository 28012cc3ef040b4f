"""YouTube's SBV (.sbv) and SubViewer (.sub): a line `start,end`, the words below it, an empty line.

SubViewer has a head of `[INFORMATION]` fields and writes `[br]` for a line break. Its first version writes each time
on a line of its own, in brackets, the end below the words.
"""

from __future__ import annotations

import re

from curation.importers.lines.raw_line import RawLine, clock
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

_TIME = r"(\d{1,3}):(\d{1,2}):(\d{1,2})[.:](\d{1,3})"
_TIMING = re.compile(rf"^\s*{_TIME}\s*,\s*{_TIME}\s*$")
# A line of digits, colons and a comma that is not two times: words do not look like it.
_NEARLY = re.compile(r"^\s*[\d:.]{4,}\s*,\s*[\d:.]*\s*$")
_HEAD = re.compile(r"^\s*\[(?P<field>[A-Za-z ]+)\]|^\s*\*+\s*(?:START|END) SCRIPT", re.IGNORECASE)
# SubViewer 1: the start above the words, the end below them.
_SINGLE = re.compile(r"^\s*\[(\d{1,3}):(\d{1,2}):(\d{1,2})\]\s*$")
_BREAK = re.compile(r"\[br\]|\|", re.IGNORECASE)


def read_sbv(file: SourceFile, persona: Persona) -> Imported:
    """Read YouTube's own caption format."""
    return _read(file, persona, "sbv")


def read_subviewer(file: SourceFile, persona: Persona) -> Imported:
    """Read SubViewer 2; the fields of its head are not lines."""
    return _read(file, persona, "subviewer")


def _read(file: SourceFile, persona: Persona, name: str) -> Imported:
    lines: list[RawLine] = []
    rejected: list[Rejected] = []
    words: list[str] | None = None
    for number, row in enumerate(file.text.split("\n"), 1):
        timing = _TIMING.match(row) if row[:1].isdigit() or row[:1].isspace() else None
        if timing:
            start, end = _ms(timing.groups()[:4]), _ms(timing.groups()[4:])
            place = f"cue {len(lines) + 1} {clock(start)}"
            lines.append(RawLine(text="", locator=place, start_ms=start, end_ms=max(start, end)))
            words = []
        elif single := _SINGLE.match(row):
            time = _ms((*single.groups(), "0"))
            if words:
                lines[-1].end_ms, words = max(time, lines[-1].start_ms or 0), None
            else:
                lines = [line for line in lines if line.text]
                lines.append(
                    RawLine(text="", locator=f"cue {len(lines) + 1} {clock(time)}", start_ms=time, end_ms=time)
                )
                words = []
        elif _NEARLY.match(row) or (words is None and row.strip() and not _HEAD.match(row)):
            rejected.append(
                Rejected(source=file.at(f"line {number}", name), reason="bad_cue", text=row, detail="no start,end")
            )
            words = None
        elif words is not None and row.strip():
            words.append(row.strip())
            lines[-1].text = _BREAK.sub("\n", "\n".join(words))
    lines.sort(key=lambda line: line.start_ms or 0)
    return to_imported(file, lines, persona, name, rejected)


def _ms(groups: tuple[str, ...]) -> int:
    hours, minutes, seconds, fraction = groups
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))
