"""JSON and JSONL files: what a program saved as a whole, else rows.

A damaged list is read object by object: one bad row never costs the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from curation.importers.formats.data import cards, chats, model_chats, speech
from curation.importers.formats.data.nested import holds_rows, mapped_rows, rows_in
from curation.importers.records.from_rows import to_records
from curation.importers.records.table_lines import columns_for
from curation.importers.source import tables
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported

# `Dataset.save_to_disk` writes these beside its Arrow files: they describe the data and hold none of it.
_HF_FILES = {"dataset_info.json", "state.json", "dataset_dict.json"}
# Each returns None for a value that is not its own.
PROGRAMS: tuple[Callable[[SourceFile, Persona, Any], Imported | None], ...] = (
    cards.read,
    model_chats.read,
    chats.read,
    speech.read,
)


def read_json(file: SourceFile, persona: Persona) -> Imported:
    """Read a JSON file of a known program, or a list of rows, wherever it lies in it.

    Raises InosukeError for a file that is not JSON, and for one that holds no rows that an importer knows.
    """
    if file.path.name in _HF_FILES and file.text.lstrip().startswith("{"):
        return Imported(format="skipped (about a Hugging Face dataset)")
    rows = list(tables.json_rows(file))
    if len(rows) > 1 and file.text.lstrip()[:1] == "{":
        return _lines(file, persona, rows)
    if any(isinstance(row, tables.Broken) for _, row in rows):
        return to_records(file, persona, rows, "json")
    # A file with a single object is a list of one row to the reader of tables.
    listed = file.text.lstrip()[:1] == "["
    value = [row for _, row in rows] if listed else rows[0][1] if rows else None
    for columns in columns_for(persona, file.name):
        found = mapped_rows(value, columns.text)
        if found is not None:
            return to_records(file, persona, enumerate(found, 1), "json")
    for read in PROGRAMS:
        imported = read(file, persona, value)
        if imported is not None:
            return imported
    wrapped = rows_in(value)
    return to_records(file, persona, enumerate(wrapped.rows, 1), "json", under=wrapped.under)


def read_jsonl(file: SourceFile, persona: Persona) -> Imported:
    """Read one row a line; blank lines are skipped."""
    rows = list(tables.jsonl_rows(file))
    if rows and isinstance(rows[0][1], tables.Broken) and _is_whole(file):
        return read_json(file, persona)
    if len(rows) == 1 and holds_rows(rows[0][1]):  # a whole file on one line
        return read_json(file, persona)
    return _lines(file, persona, rows)


def _is_whole(file: SourceFile) -> bool:
    """Return whether a file is a single JSON value, over several lines."""
    try:
        json.loads(file.text)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(file: SourceFile, persona: Persona, rows: list[tuple[int, Any]]) -> Imported:
    if not any(columns.files != "*" for columns in columns_for(persona, file.name)):
        chat = model_chats.read_rows(file, persona, rows)
        if chat is not None:
            return chat
    return to_records(file, persona, rows, "json")
