"""The texts of one column of a table, each with its place in the file, read with the importers' table readers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from curation.errors import InosukeError, UsageError
from curation.importers.source.source_file import SourceFile, load
from curation.importers.source.tables import TABLES, Broken, Rows, csv_rows
from curation.record import Message, Sample, sample_id

_READERS: dict[str, Callable[[SourceFile], Rows]] = {
    **TABLES,
    **dict.fromkeys((".csv", ".tsv"), partial(csv_rows, strict=True)),
}
# A corpus to compare may be larger than one to import.
_MAX_BYTES = 16 * 1024**3


def read_samples(path: Path, field: str) -> list[Sample]:
    """Return each row's text as a sample that is compared by its words alone; the locator is ``row 17``, from 1.

    Raises UsageError for a file that is missing, is not a table or lacks the field, InosukeError when it cannot be read
    or a row holds something other than text there.
    """
    kind = path.suffix.lower()
    if kind not in _READERS:
        raise UsageError(f"{path}: cannot read `{path.suffix}` files. Expected one of {', '.join(sorted(_READERS))}.")
    if not path.exists():
        raise UsageError(f"{path}: no such file. Check the name.")
    file = load(path, max_bytes=_MAX_BYTES)
    rows = list(_rows(file, "line" if kind in (".jsonl", ".ndjson") else "row"))
    known = sorted({str(key) for _, row in rows for key in row})
    if rows and field not in known:
        raise UsageError(f"{path}: no field `{field}`. It has {', '.join(known)}: name one with --field.")
    bad = [(place, row.get(field)) for place, row in rows if not isinstance(row.get(field), str)]
    if bad:
        seen = "; ".join(f"{place}: {_described(value)}" for place, value in bad[:3])
        raise InosukeError(
            f"{path}: {len(bad)} of {len(rows)} rows have no text in `{field}` ({seen}). "
            "Leave these rows out, or turn them into text."
        )
    samples = []
    for place, row in rows:
        messages = (Message("assistant", row[field]),)
        samples.append(
            Sample(
                id=sample_id("quote", messages),
                kind="quote",
                messages=messages,
                language=None,
                topic=None,
                source=file.at(place, "dedup"),
            )
        )
    return samples


def _rows(file: SourceFile, unit: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row). Raises InosukeError for a row that is broken or is not an object."""
    for position, (number, row) in enumerate(_READERS[file.path.suffix.lower()](file), 1):
        place = f"{unit} {number if unit == 'line' else position}"
        if isinstance(row, Broken):
            raise InosukeError(
                f"{file.path}: {place} cannot be read as {file.path.suffix[1:].upper()} ({row[:80]}). "
                "Fix the row or leave it out."
            )
        if not isinstance(row, dict):
            raise InosukeError(f"{file.path}: {place} is {type(row).__name__}; expected an object.")
        yield place, row


def _described(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "nothing"
    return f"{value!r} ({type(value).__name__})"
