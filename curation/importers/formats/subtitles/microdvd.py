"""MicroDVD (.sub): `{first frame}{last frame}text|second line`. Times are frames, so the frame rate matters."""

from __future__ import annotations

import re

from pysubs2.time import frames_to_ms

from curation.importers.lines.raw_line import RawLine, clock
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

_LINE = re.compile(r"^\s*\{\s*(-?\d{1,9})\s*\}\s*\{\s*(-?\d{0,9})\s*\}(.*)$")
_CODE = re.compile(r"\{[a-zA-Z]:[^{}]*\}")
_RATE = re.compile(r"^\d{1,3}(?:[.,]\d{1,6})?$")
# The rate of film and most anime, named in the report for a file that does not give its own.
ASSUMED_FPS = 23.976


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read the lines. The rate is the text of a first `{1}{1}` line, as players have it, else 23.976 is assumed."""
    lines: list[RawLine] = []
    rejected: list[Rejected] = []
    rate: float | None = None
    for number, row in enumerate(file.text.split("\n"), 1):
        match = _LINE.match(row)
        if match is None:
            if row.strip():
                rejected.append(
                    Rejected(
                        source=file.at(f"line {number}", "microdvd"),
                        reason="bad_cue",
                        text=row,
                        detail="no {frame}{frame}",
                    )
                )
            continue
        first, last, words = int(match[1]), int(match[2] or match[1]), match[3]
        stated = _RATE.match(words.strip()) if first == last and first in (0, 1) and not lines else None
        if stated and rate is None and 1 <= float(stated[0].replace(",", ".")) <= 240:
            rate = float(stated[0].replace(",", "."))
            continue
        start = max(frames_to_ms(first, rate or ASSUMED_FPS), 0)
        end = max(frames_to_ms(last, rate or ASSUMED_FPS), start)
        text = _CODE.sub("", words).replace("|", "\n")
        lines.append(RawLine(text=text, locator=f"cue {len(lines) + 1} {clock(start)}", start_ms=start, end_ms=end))
    lines.sort(key=lambda line: line.start_ms or 0)
    name = f"microdvd {rate:g} fps" if rate else f"microdvd {ASSUMED_FPS} fps assumed"
    return to_imported(file, lines, persona, name, rejected)
