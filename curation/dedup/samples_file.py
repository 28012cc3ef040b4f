"""The texts of one column of a CSV, JSON, JSONL or Parquet file, each with the place it stands in."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from curation.errors import InosukeError, UsageError
from curation.files import sha256_file
from curation.record import Message, Sample, Source, sample_id


def read_samples(path: Path, field: str) -> list[Sample]:
    """Return each row's text as a sample that is compared by its words alone; the locator is ``row 17``, from 1.

    Raises UsageError for a file that is missing or of an unknown kind or has no such field, InosukeError when it cannot
    be read or a row holds something else than a text there.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path}: cannot read `{path.suffix}` files. Expected one of {', '.join(sorted(_READERS))}.")
    try:
        rows = list(reader(path))
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file. Check the name.") from None
    except (OSError, ValueError, csv.Error) as error:
        raise InosukeError(
            f"{path}: cannot be read as {path.suffix[1:].upper()} ({error}). Mend the file or save it again."
        ) from error
    known = sorted({str(key) for _, row in rows for key in row if key is not None})
    if rows and field not in known:
        raise UsageError(f"{path}: no field `{field}`. It has {', '.join(known)}: name one with --field.")
    bad = [(place, row.get(field)) for place, row in rows if not isinstance(row.get(field), str)]
    if bad:
        seen = "; ".join(f"{place}: {_say(value)}" for place, value in bad[:3])
        raise InosukeError(
            f"{path}: {len(bad)} of {len(rows)} rows have no text in `{field}` ({seen}). "
            "Leave these rows out, or turn them into text."
        )
    digest = sha256_file(path)
    samples = []
    for place, row in rows:
        messages = (Message("assistant", row[field]),)
        source = Source(path=path.as_posix(), sha256=digest, locator=place, importer="dedup")
        samples.append(
            Sample(
                id=sample_id("quote", messages),
                kind="quote",
                messages=messages,
                language=None,
                topic=None,
                source=source,
            )
        )
    return samples


def _say(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "nothing"
    return f"{value!r} ({type(value).__name__})"


def _csv(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    # The module's own reader, not pandas: a text that says "NA" or "007" is that text.
    csv.field_size_limit(1 << 30)
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, strict=True), 1):
            yield f"row {number}", row


def _jsonl(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    # Split at newlines only: str.splitlines would also cut at U+2028, which JSON allows inside a text.
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), 1):
        if line.strip():
            yield _checked(f"line {number}", json.loads(line))


def _json(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(rows, list):
        raise ValueError(f"a list of objects was expected, not {type(rows).__name__}")
    for number, row in enumerate(rows, 1):
        yield _checked(f"row {number}", row)


def _checked(place: str, row: object) -> tuple[str, dict[str, Any]]:
    if not isinstance(row, dict):
        raise ValueError(f"{place} is {type(row).__name__}; expected an object")
    return place, row


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    import pyarrow.parquet

    for number, row in enumerate(pyarrow.parquet.read_table(path).to_pylist(), 1):
        yield f"row {number}", row


_READERS: dict[str, Callable[[Path], Iterator[tuple[str, dict[str, Any]]]]] = {
    ".csv": _csv,
    ".json": _json,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}
