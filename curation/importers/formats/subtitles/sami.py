"""SAMI (.smi): `<SYNC Start=1000><P Class=ENCC>words`, shown until the next SYNC. Its HTML is rarely whole.

So it is read by its marks and not as a tree. A file may hold several languages, one a class: each is a part of its own.
"""

from __future__ import annotations

import html
import re

from curation.importers.lines.raw_line import RawLine, clock
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

_SYNC = re.compile(r"<sync\b(?P<fields>[^<>]*)>", re.IGNORECASE)
_START = re.compile(r"\bstart\s*=\s*[\"']?\s*(-?\d{1,9})", re.IGNORECASE)
_PARAGRAPH = re.compile(r"<p\b(?P<fields>[^<>]*)>", re.IGNORECASE)
_CLASS = re.compile(r"\bclass\s*=\s*[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
# Tags of emphasis stay for now: they may set a speaker's name apart.
_TAG = re.compile(r"</?(?!(?:b|i|u|em|strong|font|span)\b)[A-Za-z][^<>]*>", re.IGNORECASE)
_LAST_MS = 4000


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read the paragraphs of each SYNC, by their class. A SYNC without a start is rejected with its text."""
    text = _COMMENT.sub("", file.text)
    syncs = list(_SYNC.finditer(text))
    starts = [_start(sync["fields"]) for sync in syncs]
    rejected: list[Rejected] = []
    found: dict[str, list[RawLine]] = {}
    for number, (sync, start) in enumerate(zip(syncs, starts, strict=True)):
        body = text[sync.end() : syncs[number + 1].start() if number + 1 < len(syncs) else len(text)]
        if start is None:
            source = file.at(f"sync {number + 1}", "sami")
            rejected.append(Rejected(source=source, reason="bad_cue", text=_words(body), detail="no start time"))
            continue
        end = next((later for later in starts[number + 1 : number + 9] if later is not None and later > start), None)
        for name, words in _paragraphs(body):
            if words:
                lines = found.setdefault(name, [])
                place = f"cue {len(lines) + 1} {clock(start)}"
                lines.append(
                    RawLine(text=words, locator=place, start_ms=start, end_ms=start + _LAST_MS if end is None else end)
                )
    for name, lines in found.items():
        lines.sort(key=lambda line: line.start_ms or 0)
        for line in lines if len(found) > 1 else ():
            line.locator = f"language {name or '?'} · {line.locator}"
    return to_imported(file, [line for lines in found.values() for line in lines], persona, "sami", rejected)


def _start(fields: str) -> int | None:
    match = _START.search(fields)
    return max(int(match[1]), 0) if match else None


def _paragraphs(body: str) -> list[tuple[str, str]]:
    """Return (class, words) of each paragraph; words before the first belong to no class."""
    marks = list(_PARAGRAPH.finditer(body))
    first = _words(body[: marks[0].start()] if marks else body)
    found = [("", first)] if first else []
    for number, mark in enumerate(marks):
        name = _CLASS.search(mark["fields"])
        part = body[mark.end() : marks[number + 1].start() if number + 1 < len(marks) else len(body)]
        found.append((name[1].upper() if name else "", _words(part)))
    return found


def _words(part: str) -> str:
    """Return the words of a piece of HTML; breaks in the file are layout, `<br>` is not."""
    text = _BREAK.sub("\0", re.sub(r"\s+", " ", part))
    lines = html.unescape(_TAG.sub("", text)).replace("\xa0", " ").split("\0")
    return "\n".join(line.strip() for line in lines if line.strip())
