"""Rows → records, whatever file they came in. One bad row never costs the others.

A row is a dialogue of one of the shapes in :mod:`curation.importers.records.shapes`, or a line of a transcript: a table
with a column for the words and usually one for the speaker.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from curation.chat import BadRow
from curation.errors import InosukeError
from curation.importers.lines.raw_line import RawLine
from curation.importers.lines.to_utterances import to_imported
from curation.importers.records import feedback
from curation.importers.records.shapes import read_row
from curation.importers.source.source_file import SourceFile
from curation.importers.source.tables import Broken
from curation.persona import Persona
from curation.record import Imported, Rejected, Sample

_TEXT = ("text", "line", "words", "lời", "lời thoại", "セリフ")
_SPEAKER = ("speaker", "name", "character", "actor", "nhân vật", "người nói", "話者")
_SCENE = ("scene", "episode", "page", "cảnh", "tập")
_START = ("start_ms", "start", "begin")
_END = ("end_ms", "end", "stop")


def to_records(
    file: SourceFile, persona: Persona, numbered: Iterable[tuple[int, Any]], container: str, unit: str = "row"
) -> Imported:
    """Turn numbered rows into samples or, where they are lines of a transcript, utterances.

    ``container`` is the format of the file, for the report; ``unit`` names a row in its locator.
    """
    kind = persona.kind_of(file.path.name)
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    lines: list[RawLine] = []
    shapes: dict[str, int] = {}
    for number, row in feedback.latest(numbered):
        source = file.at(feedback.place(row) if feedback.is_feedback(row) else f"{unit} {number}", "alpaca")
        if isinstance(row, Broken):
            rejected.append(Rejected(source=source, reason="bad_json", text=row, detail="the row cannot be read"))
        elif "\ufffd" in (text := _text(row)):
            rejected.append(
                Rejected(source=source, reason="undecodable", text=text, detail="some bytes of the row are not text")
            )
        elif isinstance(row, Mapping) and (line := _line(row, number, unit)) is not None:
            lines.append(line)
            shapes["transcript"] = shapes.get("transcript", 0) + 1
        else:
            try:
                sample, shape = read_row(row, kind, persona)
            except BadRow as error:
                rejected.append(Rejected(source=source, reason=error.reason, text=text, detail=str(error)))
                continue
            shapes[shape] = shapes.get(shape, 0) + 1
            samples.append(replace(sample, source=replace(source, importer=shape)))
    transcript = to_imported(file, lines, persona, container, script=True) if lines else Imported()
    if not samples and not lines and not rejected:
        raise InosukeError(f"{file.path}: has no rows. Expected dialogues or lines of a transcript; leave it out.")
    shape = max(shapes, key=lambda name: shapes[name]) if shapes else "alpaca"
    return Imported(
        utterances=transcript.utterances,
        samples=tuple(samples),
        rejected=(*transcript.rejected, *rejected),
        format=shape if container == "json" else f"{container} {shape}",
    )


def _text(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, default=str)


def _line(row: Mapping[str, Any], number: int, unit: str) -> RawLine | None:
    """Return a row as a line of a transcript, or None where it is a dialogue or has no column for the words."""
    columns = {str(key).strip().lower(): value for key, value in row.items()}
    if {"output", "messages", "conversations", "annotations", "response", "answer"} & set(columns):
        return None
    words = next((columns[c] for c in _TEXT if isinstance(columns.get(c), str)), None)
    if words is None:
        return None
    speaker = next((columns[c] for c in _SPEAKER if isinstance(columns.get(c), str)), "").strip()
    scene = next((str(columns[c]) for c in _SCENE if columns.get(c) not in (None, "")), "1")
    place = f"scene {scene[:60]} · {unit} {number}"
    start, end = _ms(columns, _START), _ms(columns, _END)
    evidence = "column" if speaker else ""
    return RawLine(
        text=words,
        locator=place,
        start_ms=start,
        end_ms=end if end is None or start is None else max(start, end),
        speaker=speaker,
        evidence=evidence,
    )


def _ms(columns: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """Return a time in milliseconds. A column called …_ms holds milliseconds, any other seconds."""
    for name in names:
        value = columns.get(name)
        try:
            seconds = float(value) if value not in (None, "") and not isinstance(value, bool) else None
        except (TypeError, ValueError):
            continue
        if seconds is not None and 0 <= seconds < 1e9:
            return round(seconds if name.endswith("_ms") else seconds * 1000)
    return None
