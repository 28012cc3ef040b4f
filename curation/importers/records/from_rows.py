"""Rows → records, whatever file they came in. One bad row never costs the others.

A row is a dialogue of one of the shapes in :mod:`curation.importers.records.shapes`, or a line of a transcript: a table
with a column for the words and usually one for the speaker.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from curation.chat import BadRow
from curation.cleaning.mojibake import may_be_mojibake, repair
from curation.errors import InosukeError
from curation.importers.lines.raw_line import RawLine
from curation.importers.lines.to_utterances import to_imported
from curation.importers.records import feedback
from curation.importers.records.shapes import is_dialogue, read_row
from curation.importers.records.table_lines import TableLines, at, columns_for
from curation.importers.records.unknown import looks_like
from curation.importers.source.columns import folded
from curation.importers.source.source_file import SourceFile
from curation.importers.source.tables import Broken, SheetRow
from curation.persona import Columns, Persona
from curation.record import Flag, Imported, Rejected, Sample, Source

# Columns that only rows of dialogue have: without a reply, such a row is damaged rather than of an unknown shape.
_ALPACA = frozenset(("instruction", "input", "output"))
# How many rows are looked at for the column that persona.toml names.
_LOOK = 100


def to_records(
    file: SourceFile,
    persona: Persona,
    numbered: Iterable[tuple[int, Any]],
    container: str,
    unit: str = "row",
    under: str = "",
) -> Imported:
    """Turn numbered rows into samples or, where they are lines of a transcript, utterances.

    ``container`` is the format of the file, for the report; ``unit`` names a row in its locator, and ``under`` the keys
    that the rows stand under, where an object wraps them. Raises InosukeError for rows of which none is either.
    """
    kind = persona.kind_of(file.path.name)
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    shapes: Counter[str] = Counter()
    rows = list(feedback.latest(numbered))
    table = TableLines(persona, unit, _columns(file, persona, rows))
    repaired = _few_repaired(file, rows)
    for number, row in rows:
        source = file.at(feedback.place(row) if feedback.is_feedback(row) else f"{unit} {number}", "alpaca")
        text = row if isinstance(row, Broken) else _text(row)
        if may_be_mojibake(text):
            row = _repaired(row)
        if isinstance(row, Broken):
            rejected.append(Rejected(source=source, reason="bad_json", text=text, detail="the row cannot be read"))
        elif "\ufffd" in (_text(feedback.kept(row)) if feedback.is_feedback(row) else text):
            rejected.append(
                Rejected(source=source, reason="undecodable", text=text, detail="some bytes of the row are not text")
            )
        elif isinstance(row, Mapping) and (table.columns or not is_dialogue(row)) and table.add(number, row):
            shapes["transcript"] += 1
        else:
            try:
                found, shape = read_row(row, kind, persona)
            except BadRow as error:
                reason, detail = error.reason, str(error)
                if reason == "no_output" and len(table):
                    reason, detail = "empty", "the row has no words in the column where the others have them"
                rejected.append(Rejected(source=source, reason=reason, text=text, detail=detail))
                continue
            shapes[shape] += 1
            source = replace(source, importer=shape)
            made = placed(found.samples, source)
            samples += [_compare(s) for s in made] if number in repaired else made
            rejected += [Rejected(source=source, reason=r, text=words, detail=why) for r, words, why in found.left_out]
    if not samples and not len(table):
        _refuse(file, [row for _, row in rows], rejected, under)
    lines = table.lines()
    transcript = to_imported(file, lines, persona, container, script=True) if lines else Imported()
    shape = max(shapes, key=lambda name: shapes[name]) if shapes else "alpaca"
    return Imported(
        utterances=transcript.utterances,
        samples=tuple(samples),
        rejected=(*transcript.rejected, *rejected),
        format=shape if container == "json" else f"{container} {shape}",
        notes=notes_on(lines),
    )


def placed(samples: Iterable[Sample], source: Source) -> list[Sample]:
    """Return the samples of one row or chat with their source; each of several says which one it is."""
    found = list(samples)
    if len(found) < 2:
        return [replace(sample, source=source) for sample in found]
    return [
        replace(sample, source=replace(source, locator=f"{source.locator} · dialogue {number}"))
        for number, sample in enumerate(found, 1)
    ]


def notes_on(lines: Sequence[RawLine]) -> tuple[str, ...]:
    """Return what a user should know about a transcript as a whole."""
    if len(lines) > 1 and all(line.start_ms is None for line in lines):
        return ("no times: only sections and scenes cut it into dialogues",)
    return ()


def _columns(file: SourceFile, persona: Persona, rows: Sequence[tuple[int, Any]]) -> Columns | None:
    """Return the map of persona.toml that fits the file: its name, and a row that has the column for the words."""
    return next(
        (c for c in columns_for(persona, file.name) if any(at(row, c.text) is not None for _, row in rows[:_LOOK])),
        None,
    )


def _refuse(file: SourceFile, rows: Sequence[Any], rejected: Sequence[Rejected], under: str) -> None:
    """Raise InosukeError for a file without rows, and for one whose rows are of no shape at all."""
    if not rejected:
        raise InosukeError(f"{file.path}: has no rows. Expected dialogues or lines of a transcript; leave it out.")
    if any(r.reason != "no_output" for r in rejected):
        return
    if any(isinstance(row, Mapping) and _ALPACA & {folded(str(key)) for key in row} for row in rows):
        return
    place = f", found under `{under}`" if under else ""
    raise InosukeError(
        f"{file.path}: {looks_like(rows)}{place}. Expected dialogues, or lines with a column such as `text`. Name the "
        'columns in persona.toml ([[columns]] with text = "…" and speaker = "…"), or leave the file out.'
    )


def _few_repaired(file: SourceFile, rows: Sequence[tuple[int, Any]]) -> set[int]:
    """Return the numbers of the rows whose letters were repaired, none where that was most of them."""
    lines = file.repaired_lines
    inside = {number for number, row in rows if may_be_mojibake(_text(row)) and _repaired(row) != row}
    inside = inside if 2 * len(inside) < sum(not _text(row).isascii() for _, row in rows) else set()
    return inside | {number for number, row in rows if lines and any(_is_in(text, lines) for text in _texts(row))}


def _is_in(text: str, lines: Iterable[tuple[str, str]]) -> bool:
    """Return whether a text stands in a line as it was repaired and not as it was found, plain or as JSON writes it."""
    if text.isascii():
        return False
    written = json.dumps(text, ensure_ascii=False)[1:-1]
    return any(form in after and form not in before for before, after in lines for form in (text, written))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)


def _compare(sample: Sample) -> Sample:
    text = next((m.content for m in reversed(sample.messages) if not m.content.isascii()), "")
    return replace(sample, flags=(*sample.flags, Flag("repaired_letters", text[:80])))


def _repaired(row: Any) -> Any:
    """Return a row with the texts repaired whose bytes were read in a wrong encoding, `Trên` for `TrÃªn`."""
    if isinstance(row, Broken):
        return row
    if isinstance(row, str):
        return repair(row)[0]
    if isinstance(row, SheetRow):
        return SheetRow(((key, _repaired(value)) for key, value in row.items()), row.sheet)
    if isinstance(row, dict):
        return {key: _repaired(value) for key, value in row.items()}
    return [_repaired(value) for value in row] if isinstance(row, list) else row


def _text(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, default=str)
