"""The rows of a JSON value that wraps them: ``rows[].row``, ``data``, ``train`` and ``test``, columns. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from curation.importers.records.shapes import is_dialogue
from curation.importers.records.table_lines import at, has_text_column
from curation.importers.records.turns import is_turn

# Wrappers around each row (`{"row_idx": 0, "row": {…}}`).
_AROUND_ROW = ("row", "fields", "_source", "json", "node", "record")
# Wrappers around all rows, in the order in which they count; any other list of objects counts after them.
_AROUND_ROWS = (
    "rows", "data", "train", "test", "validation", "valid", "eval", "dev", "items", "examples", "samples", "records",
    "results", "entries", "dataset", "lines", "messages", "dialogues", "hits", "nodes", "documents",
)  # fmt: skip
_SPLITS = ("train", "test", "validation", "valid", "eval", "dev")
_DEEPEST = 4


class Found(NamedTuple):
    """The rows of a JSON value, and the keys they stand under (``data.train``); empty where they stand at the top."""

    rows: list[Any]
    under: str = ""


def rows_in(value: Any) -> Found:
    """Return the rows of a JSON value: its own list, those that it wraps, or the value itself as the only row."""
    found = _rows(value, 0)
    if found is None:
        return Found([value])
    return Found([_bare(row) for row in found.rows], found.under)


def holds_rows(value: Any) -> bool:
    """Return whether one value is several rows: a wrapper, or a list of dialogues; a list of turns is not."""
    found = rows_in(value)
    return bool(found.under) or (isinstance(value, list) and _holds_dialogues(found.rows))


def _rows(value: Any, depth: int) -> Found | None:
    if isinstance(value, list):
        return Found(_unfolded(value, depth))
    if not isinstance(value, Mapping) or depth > _DEEPEST:
        return None
    if (columns := _by_column(value)) is not None:
        return Found(columns)
    lists = {name: part for name, part in _candidates(value) if _holds_dialogues(part)}
    if _is_row(value) and (_is_one_dialogue(value) or not lists):
        return None
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):  # pandas: orient="split"
        names = [str(name) for name in value["columns"]]
        return Found([dict(zip(names, row, strict=False)) for row in value["data"] if isinstance(row, list)], "data")
    if lists:
        # Every list of dialogues counts: `train` beside `test`, or `persona` beside `quotes`.
        under = sorted(lists, key=list(value).index)
        return Found([row for name in under for row in _unfolded(lists[name], depth + 1)], ", ".join(under))
    for name, part in _candidates(value):
        if isinstance(part, list) and part and all(isinstance(row, Mapping) for row in part):
            splits = [n for n in _SPLITS if isinstance(value.get(n), list)] if name in _SPLITS else [name]
            return Found([row for n in splits for row in value[n]], ", ".join(splits))
    for name, inner in _candidates(value):
        if isinstance(inner, Mapping) and (found := _rows(inner, depth + 1)) is not None:
            return Found(found.rows, f"{name}.{found.under}" if found.under else name)
    by_id = _by_id(value)
    return None if by_id is None else Found(by_id)


def _holds_dialogues(part: Any) -> bool:
    """Return whether a list has a row of dialogue in it, bare or wrapped; other things beside it are damaged rows."""
    return isinstance(part, list) and any(_is_dialogue_row(row) for row in part)


def _is_dialogue_row(row: Any) -> bool:
    row = _bare(row)
    if isinstance(row, list):
        return any(map(_is_dialogue_row, row))
    return isinstance(row, Mapping) and not is_turn(row) and (is_dialogue(row) or "output" in row)


def _is_one_dialogue(value: Mapping[str, Any]) -> bool:
    """Return whether an object is one dialogue, and not a wrapper whose own keys look like a dialogue's."""
    if "annotations" in value or "completions" in value or "chosen" in value:
        return True  # a task of Label Studio, a preference pair: their lists are about the row itself
    return ("output" in value or is_dialogue(value)) and not any(map(_holds_dialogues, value.values()))


def _unfolded(rows: list[Any], depth: int) -> list[Any]:
    """Return a list of rows, or the rows of all its elements where each element is itself a list or a wrapper."""
    if depth > _DEEPEST or not rows or not all(isinstance(row, Mapping | list) for row in rows):
        return rows
    if any(_is_row(_bare(row)) for row in rows if isinstance(row, Mapping)):
        return rows
    inner = [_rows(row, depth + 1) for row in rows]
    if not all(found is not None and _holds_dialogues(found.rows) for found in inner):
        return rows
    return [row for found in inner if found is not None for row in found.rows]


def _candidates(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a wrapper can hold, by key: first what has a usual name, then the rest, the longest list first."""
    yield from ((name, value[name]) for name in _AROUND_ROWS if name in value)
    rest = [(name, inner) for name, inner in value.items() if name not in _AROUND_ROWS]
    yield from sorted(rest, key=lambda pair: -len(pair[1]) if isinstance(pair[1], list) else 0)


def _by_id(value: Mapping[str, Any]) -> list[Any] | None:
    """Return the rows of `{"1": {…}, "2": {…}}`."""
    rows = list(value.values())
    if len(rows) == 1:  # one row of dialogue; one row of anything else is rather an object inside an object
        return rows if _is_dialogue_row(rows[0]) else None
    return rows if rows and all(isinstance(row, Mapping) and _is_row(row) for row in rows) else None


def _by_column(value: Mapping[str, Any]) -> list[Any] | None:
    """Return the rows of columns: `{"speaker": [a, b], "text": [c, d]}`, or with `{"0": a, "1": b}` for each."""
    if len(value) < 2 or not all(isinstance(c, Mapping | list) and c for c in value.values()):
        return None
    columns = [list(c.values()) if isinstance(c, Mapping) else c for c in value.values()]
    if len({len(c) for c in columns}) != 1 or not _is_row(dict.fromkeys(value, "x")):
        return None
    if any(isinstance(cell, Mapping | list) for c in columns for cell in c):
        return None
    return [dict(zip(value, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _is_row(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    words = [v for v in value.values() if isinstance(v, str)]
    return is_dialogue(value) or "output" in value or (has_text_column(value) and bool(words))


def _bare(row: Any) -> Any:
    if not isinstance(row, Mapping) or _is_row(row):
        return row
    return next((row[name] for name in _AROUND_ROW if isinstance(row.get(name), Mapping)), row)


def mapped_rows(value: Any, column: str, depth: int = 0) -> list[Any] | None:
    """Return the first list of objects, wherever it lies, in which a column of persona.toml has a value; else None."""
    if isinstance(value, list):
        if any(at(row, column) is not None for row in value[:100]):
            return value
        inner = value[:100]
    elif isinstance(value, Mapping):
        inner = list(value.values())
    else:
        return None
    if depth > _DEEPEST:
        return None
    return next((found for v in inner if (found := mapped_rows(v, column, depth + 1)) is not None), None)
