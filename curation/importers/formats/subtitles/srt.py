"""SubRip (.srt), read by pysubs2, for which any line with two times starts a cue."""

from __future__ import annotations

import re

import pysubs2

from curation.importers.lines.raw_line import RawLine, clock
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

# pysubs2 would read -00:00:01,000 as a second after the start.
_NEGATIVE = re.compile(r"-(?<![\d:]-)\d{1,2}:\d{1,2}:\d{1,2}[.,]\d{1,3}")
# An arrow inside a cue's text: a timing line that could not be read joined the cue before it.
_BROKEN = re.compile(r"(?:\\N *\d+ *)?(?:\\N|^)(?P<timing>[^\\]*-->.*)$", re.DOTALL)
_TIMES = re.compile(r"\d{1,2}:\d{1,2}:\d{1,2}[.,]\d{1,3}")


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read the cues in the order of their times; a cue with broken times is rejected with its text."""
    text = _NEGATIVE.sub("00:00:00,000", file.text)
    lines: list[RawLine] = []
    rejected: list[Rejected] = []
    before = _before_the_first(text)
    if "-->" in before:
        rejected.append(
            Rejected(
                source=file.at("before cue 1", "srt"), reason="bad_cue", text=before, detail="its times cannot be read"
            )
        )
    for number, event in enumerate(pysubs2.SSAFile.from_string(text, format_="srt", keep_html_tags=True).events, 1):
        words, place = event.text, f"cue {number} {clock(event.start)}"
        broken = _BROKEN.search(words) if "-->" in words else None
        if broken:
            words = words[: broken.start()]
            source = file.at(f"after {place}", "srt")
            rejected.append(
                Rejected(source=source, reason="bad_cue", text=broken["timing"], detail="its times cannot be read")
            )
        lines.append(RawLine(text=words, locator=place, start_ms=event.start, end_ms=max(event.end, event.start)))
    lines.sort(key=lambda line: line.start_ms or 0)
    return to_imported(file, lines, persona, "srt", rejected)


def _before_the_first(text: str) -> str:
    """Return the text before the first cue, which pysubs2 skips."""
    for match in re.finditer(r"^.*-->.*$", text, re.MULTILINE):
        if len(_TIMES.findall(match[0])) == 2:
            return text[: match.start()]
    return text
