"""YouTube's timed text: srv1, srv2 and srv3 (XML) and json3. Automatic captions give each word a time of its own.

<timedtext format="3"><body><p t="1000" d="1500">words</p>…        srv3; srv2 has <text t d>, milliseconds
<transcript><text start="1.0" dur="1.5">words</text>…              srv1; seconds
{"events": [{"tStartMs": 1000, "dDurationMs": 1500, "segs": [{"utf8": "words"}]}]}
"""

from __future__ import annotations

from typing import Any

from curation.importers.lines.raw_line import RawLine, clock
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source import json_file
from curation.importers.source import xml_file as xml
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

_DAY_MS = 1000 * 86_400_000


def read_srv(file: SourceFile, persona: Persona) -> Imported:
    """Read the XML forms. Raises InosukeError for XML that is damaged."""
    lines: list[RawLine] = []
    rejected: list[Rejected] = []
    for number, element in enumerate((e for e in xml.parse(file).iter() if xml.local(e) in ("p", "text")), 1):
        words = "".join(element.itertext()).strip()
        if not words:
            continue  # a line break between two lines of automatic captions
        start = _number(element.get("t"), 1) if element.get("t") else _number(element.get("start"), 1000)
        if start is None:
            source = file.at(f"p {number}", "timedtext")
            rejected.append(Rejected(source=source, reason="bad_cue", text=words, detail="no start time"))
            continue
        lasts = _number(element.get("d"), 1) if element.get("d") else _number(element.get("dur"), 1000)
        _add(lines, words, start, lasts)
    lines.sort(key=lambda line: line.start_ms or 0)
    return to_imported(file, lines, persona, "timedtext srv", rejected)


def read_json3(file: SourceFile, persona: Persona) -> Imported:
    """Read json3. Raises InosukeError for JSON that is damaged."""
    lines: list[RawLine] = []
    rejected: list[Rejected] = []
    value = json_file.parse(file)
    events = value.get("events") if isinstance(value, dict) else None
    for number, event in enumerate(events if isinstance(events, list) else (), 1):
        segments = event.get("segs") if isinstance(event, dict) else None
        if not isinstance(segments, list):
            continue  # a window of the player, without words
        texts = [part.get("utf8") for part in segments if isinstance(part, dict)]
        words = "".join(text for text in texts if isinstance(text, str)).strip()
        start = _number(event.get("tStartMs"), 1)
        if words and start is None:
            source = file.at(f"event {number}", "timedtext")
            rejected.append(Rejected(source=source, reason="bad_cue", text=words, detail="no start time"))
        elif words and start is not None:
            _add(lines, words, start, _number(event.get("dDurationMs"), 1))
    lines.sort(key=lambda line: line.start_ms or 0)
    return to_imported(file, lines, persona, "timedtext json3", rejected)


def _add(lines: list[RawLine], words: str, start: int, lasts: int | None) -> None:
    place = f"cue {len(lines) + 1} {clock(start)}"
    lines.append(RawLine(text=words, locator=place, start_ms=start, end_ms=start + max(lasts or 0, 0)))


def _number(value: Any, factor: int) -> int | None:
    """Return a time in milliseconds, or None where there is none or it is not a time."""
    try:
        time = float(value) * factor
    except (TypeError, ValueError):
        return None
    return round(time) if 0 <= time <= _DAY_MS else None
