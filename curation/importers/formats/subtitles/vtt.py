"""WebVTT (.vtt), parsed block by block as https://www.w3.org/TR/webvtt1/#file-parsing lays out.

pysubs2 reads WebVTT as SubRip: `<v Name>` is lost and NOTE and STYLE blocks join the cue before them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from curation.importers.lines.raw_line import RawLine, clock
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

_TIME = r"(?:(\d{1,10}):)?(\d{1,2}):(\d{1,2})[.,:](\d{1,3})"
_TIMING = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}(?:\s+(?P<settings>.*))?$")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)*\s+(?P<name>[^>]*)>")
_TAG = re.compile(r"<[^<>]*>")
# Times inside a cue: karaoke times each syllable, machine-made captions each word.
_INNER_TIME = re.compile(r"<\d[\d:.]*>")


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read the cues; notes, blocks without times and cues with broken times are rejected with their text."""
    lines: list[RawLine] = []
    rejected: list[Rejected] = []
    cues = 0
    for number, block in _blocks(file.text):
        kind = next((name for name, fits in BLOCKS.items() if fits(block)), "cue")
        source = file.at(f"line {number}", "vtt")
        if kind in ("header", "STYLE", "REGION"):
            continue  # layout, without words
        if kind == "NOTE":
            rejected.append(
                Rejected(
                    source=source, reason="comment", text="\n".join(block), detail="a note of the subtitles' author"
                )
            )
            continue
        at = next((i for i, line in enumerate(block[:2]) if "-->" in line), None)
        timing = _TIMING.match(block[at]) if at is not None else None
        if at is None or timing is None:
            why = "its times cannot be read" if at is not None else "a block without times"
            rejected.append(Rejected(source=source, reason="bad_cue", text="\n".join(block), detail=why))
            continue
        cues += 1
        start, end = _ms(timing.groups()[:4]), _ms(timing.groups()[4:8])
        lines += _voices("\n".join(block[at + 1 :]), f"cue {cues} {clock(start)}", start, max(start, end))
    lines.sort(key=lambda line: line.start_ms or 0)
    return to_imported(file, lines, persona, "vtt", rejected)


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, lines) of each block; a line with an arrow also opens one, as the standard has it.

    Only an empty line ends a block: YouTube writes one of a single space into its cues.
    """
    block: list[str] = []
    first = 1
    for number, line in enumerate(text.split("\n"), 1):
        opens = "-->" in line and (len(block) > 1 or (block and ("-->" in block[0] or _is_header(block))))
        if (not line or opens) and block:
            yield first, block
            block = []
        if line.strip() or block:
            first = first if block else number
            block.append(line)
    if block:
        yield first, block


def _is_header(block: list[str]) -> bool:
    return block[0].removeprefix("\ufeff").startswith("WEBVTT")


BLOCKS: dict[str, Callable[[list[str]], bool]] = {
    "header": _is_header,
    "NOTE": lambda block: bool(re.match(r"NOTE(?:\s|$)", block[0])),
    "STYLE": lambda block: block[0].strip() == "STYLE",
    "REGION": lambda block: block[0].strip() == "REGION",
}


def _voices(payload: str, place: str, start: int, end: int) -> Iterator[RawLine]:
    """Cut a cue at its `<v Name>` spans; the text before the first, and after a closed one, has no speaker."""
    payload = _INNER_TIME.sub("", payload)
    pieces = _VOICE.split(payload)
    if len(pieces) == 1 or _TAG.sub("", pieces[0]).strip():
        yield RawLine(text=pieces[0], locator=place, start_ms=start, end_ms=end)
    for name, span in zip(pieces[1::2], pieces[2::2], strict=True):
        words, _, after = span.partition("</v>")
        yield RawLine(
            text=words,
            locator=place,
            start_ms=start,
            end_ms=end,
            speaker=name.strip(),
            evidence="voice" if name.strip() else "",
        )
        if _TAG.sub("", after).strip():
            yield RawLine(text=after, locator=place, start_ms=start, end_ms=end)


def _ms(groups: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = groups
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))
