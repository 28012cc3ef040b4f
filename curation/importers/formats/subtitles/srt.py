"""SubRip (.srt): any line with two times starts a cue, as in pysubs2.

pysubs2's own reader takes every number at the end of a cue for the index of the next one, and loses it if it is words.
"""

from __future__ import annotations

import re

from curation.importers.lines.raw_line import RawLine, clock
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

# Read as they stand, -00:00:01,000 would be a second after the start.
_NEGATIVE = re.compile(r"-(?<![\d:]-)\d{1,2}:\d{1,2}:\d{1,2}[.,:]\d{1,3}")
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})[.,:](\d{1,3})")
# A timing line that could not be read joins the cue before it, with the index above it.
_BROKEN = re.compile(r"(?:(?:\n|^) *\d+ *)?(?:\n|^)(?P<timing>[^\n]*-->.*)$", re.DOTALL)


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read the cues in the order of their times; a cue with broken times is rejected with its text."""
    lines: list[RawLine] = []
    rejected: list[Rejected] = []
    before, cues = _cues(_NEGATIVE.sub("00:00:00,000", file.text) if "-0" in file.text else file.text)
    if "-->" in before:
        rejected.append(
            Rejected(
                source=file.at("before cue 1", "srt"), reason="bad_cue", text=before, detail="its times cannot be read"
            )
        )
    for number, (start, end, words) in enumerate(cues, 1):
        place = f"cue {number} {clock(start)}"
        broken = _BROKEN.search(words) if "-->" in words else None
        if broken:
            words = words[: broken.start()]
            source = file.at(f"after {place}", "srt")
            rejected.append(
                Rejected(source=source, reason="bad_cue", text=broken["timing"], detail="its times cannot be read")
            )
        lines.append(RawLine(text=words, locator=place, start_ms=start, end_ms=max(end, start)))
    lines.sort(key=lambda line: line.start_ms or 0)
    return to_imported(file, lines, persona, "srt", rejected)


def _cues(text: str) -> tuple[str, list[tuple[int, int, str]]]:
    """Return the text before the first cue, and (start, end, words) of each cue, in the order of the file."""
    rows = text.split("\n")
    times: list[tuple[int, int, int]] = []  # the number of a timing line, start, end
    for number, row in enumerate(rows):
        if (row[:1].isdigit() or "-->" in row) and len(found := _TIME.findall(row)) == 2:
            times.append((number, _ms(found[0]), _ms(found[1])))
    cues = []
    for place, (number, start, end) in enumerate(times):
        last = times[place + 1][0] if place + 1 < len(times) else len(rows)
        # Only a number right above a timing line is the index of a cue; any other is what someone says.
        if last < len(rows) and last - 1 > number and rows[last - 1].strip().isdigit():
            last -= 1
        cues.append((start, end, "\n".join(row for row in rows[number + 1 : last] if row.strip())))
    return "\n".join(rows[: times[0][0]] if times else rows), cues


def _ms(groups: tuple[str, str, str, str]) -> int:
    hours, minutes, seconds, fraction = groups
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))
