"""The texts of one column of a table, each with its place in the file, read with the importers' table readers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from curation.dedup.join.free_memory import check_memory
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
_LINES = (".jsonl", ".ndjson")
# Memory for a byte of the file, with samples, folded forms and clusters; the packed kinds are larger unpacked.
_COPIES = {".parquet": 130, ".xlsx": 130, ".arrow": 75}
_ROWS = 1 << 16  # rows of a Parquet file that are read at a time


def read_samples(path: Path, field: str) -> list[Sample]:
    """Return each row's text as a sample that is compared by its words alone; the locator is ``row 17``, from 1.

    Raises UsageError for a file that is missing, is not a table or lacks the field, InosukeError when it cannot be read
    or a row holds something other than text there.
    """
    kind = _checked(path)
    check_memory(
        path.stat().st_size * _COPIES.get(kind, 60),
        f"{path}: the rows and their clusters",
        "With --pairs PAIRS.parquet the near pairs are written to a file, which needs less.",
    )
    file = load(path, max_bytes=_MAX_BYTES)
    rows = list(_rows(file, "line" if kind in _LINES else "row"))
    known = sorted({str(key) for _, row in rows for key in row})
    if rows and field not in known:
        raise _no_field(path, field, known)
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


def read_texts(path: Path, field: str) -> Iterator[str]:
    """Yield each row's text, one after the other, of JSONL and Parquet files without holding the file in memory.

    Raises as :func:`read_samples`, at the first row that is wrong.
    """
    kind = _checked(path)
    if kind == ".parquet":
        yield from _parquet_texts(path, field)
        return
    rows = _lines(path) if kind in _LINES else _rows(load(path, max_bytes=_MAX_BYTES), "row")
    for place, row in rows:
        if field not in row:
            raise _no_field(path, field, sorted(map(str, row)), place)
        if not isinstance(row[field], str):
            raise _no_text(path, field, place, row[field])
        yield row[field]


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise InosukeError(f"{path}: line {number} is {type(row).__name__}; expected an object.")
                    yield f"line {number}", row
    except UnicodeDecodeError as error:
        raise InosukeError(f"{path}: is not UTF-8 ({error.reason}). Save it as UTF-8.") from error
    except ValueError as error:
        raise InosukeError(
            f"{path}: line {number} cannot be read as JSONL ({error}). Fix the row or leave it out."
        ) from error
    except OSError as error:
        raise InosukeError(f"{path}: cannot be read ({error.strerror or error}).") from error


def _parquet_texts(path: Path, field: str) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            if field not in file.schema_arrow.names:
                raise _no_field(path, field, sorted(file.schema_arrow.names))
            row = 0
            for batch in file.iter_batches(batch_size=_ROWS, columns=[field]):
                for text in batch.column(0).to_pylist():
                    row += 1
                    if not isinstance(text, str):
                        raise _no_text(path, field, f"row {row}", text)
                    yield text
    except (pa.ArrowException, OSError) as error:
        raise InosukeError(f"{path}: cannot be read as Parquet ({error}).") from error


def _checked(path: Path) -> str:
    """Return the suffix of a table that exists, in lower case. Raises UsageError for anything else."""
    kind = path.suffix.lower()
    if kind not in _READERS:
        raise UsageError(f"{path}: cannot read `{path.suffix}` files. Expected one of {', '.join(sorted(_READERS))}.")
    if not path.exists():
        raise UsageError(f"{path}: no such file. Check the name.")
    return kind


def _no_field(path: Path, field: str, known: Sequence[str], place: str = "") -> UsageError:
    return UsageError(
        f"{path}: no field `{field}`{place and f' in {place}'}. It has {', '.join(known)}: name one with --field."
    )


def _no_text(path: Path, field: str, place: str, value: object) -> InosukeError:
    return InosukeError(
        f"{path}: {place} has no text in `{field}` ({_described(value)}). Leave such rows out, or turn them into text."
    )


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
