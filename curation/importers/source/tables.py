"""Tables: CSV, JSON, JSONL, Excel, Parquet and Arrow files → numbered rows. The one reader of each.

A row is a dict of named columns, or whatever a JSON list holds; a row that cannot be read is a :class:`Broken`, so that
it never costs the others. Numbers count from 1; in CSV and Excel files the header counts, in JSONL the number is the
line's.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from curation.errors import InosukeError
from curation.importers.source.columns import is_header
from curation.importers.source.source_file import SourceFile

# What a table may unpack to. A season of transcripts is a hundredth of it; a few kilobytes can claim terabytes.
MAX_UNPACKED = 1024 * 1024 * 1024
_FIELD_CHARS = 1_000_000
# A title, the name of a show, an empty row: the most rows that may stand above a header.
_TITLE_ROWS = 10
# Where the next row of a damaged list begins: an object that opens a line or follows a comma.
_NEXT_ROW = re.compile(r"(?:^|,)[ \t\r]*\{", re.MULTILINE)


class Broken(str):
    """The text of a row that could not be read."""

    __slots__ = ()


class SheetRow(dict[str, Any]):
    """A row of a workbook, with the name of its sheet."""

    __slots__ = ("sheet",)

    def __init__(self, cells: Iterable[tuple[str, Any]], sheet: str) -> None:
        super().__init__(cells)
        self.sheet = sheet


Rows: TypeAlias = Iterator[tuple[int, Any]]


def csv_rows(file: SourceFile, *, strict: bool = False) -> Rows:
    """Read comma, semicolon, tab or bar separated rows under a header; a title may stand above it.

    ``strict`` makes a quote that is never closed, or is closed in the middle of a cell, a broken row. Raises
    InosukeError where there is no header.
    """
    csv.field_size_limit(_FIELD_CHARS)
    text = file.text.replace("\0", "")
    above, delimiter = _header_place(text)
    # Not pandas: a cell that holds "NA" or "007" keeps that text.
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=strict)
    try:
        for _ in range(above):
            next(reader, None)
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise _damaged(file, "a table with a header", error) from None
    if len(header) < 2 and len([c for c in header if c]) < 1:
        raise InosukeError(f"{file.path}: has no header. Expected a first row such as `speaker,text`; add one.")
    number = 1 + above
    while True:
        number += 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield number, Broken(f"line {reader.line_num}: {error}")
            continue
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            yield number, Broken(delimiter.join(cells))
        else:
            yield number, dict(zip(header, cells, strict=True))


def _header_place(text: str) -> tuple[int, str]:
    """Return how many rows stand above the header of a table, and what separates its cells."""
    lines = text.split("\n", _TITLE_ROWS)[:_TITLE_ROWS]
    for above, line in enumerate(lines):
        for delimiter in ",;\t|":
            if delimiter in line:
                cells = next(csv.reader([line], delimiter=delimiter), [])
                if len(cells) > 1 and is_header(cells):
                    return above, delimiter
    return 0, max(",;\t", key=lines[0].count)


def json_rows(file: SourceFile) -> Rows:
    """Read a JSON list of rows, or a single row. A damaged list is read object by object.

    Raises InosukeError for a file that is not JSON.
    """
    try:
        value = json.loads(file.text)
    except RecursionError:
        raise InosukeError(f"{file.path}: nested too deep to be a list of rows. Expected [{{…}}, {{…}}].") from None
    except ValueError as error:
        if _is_object(file.text.lstrip().partition("\n")[0]):  # one object a line, under the wrong suffix
            yield from jsonl_rows(file)
            return
        if not file.text.lstrip().startswith("["):
            raise InosukeError(
                f"{file.path}: not valid JSON ({error}). Expected a list of objects; fix the file and try again."
            ) from None
        yield from _salvage(file.text)
        return
    yield from enumerate(value if isinstance(value, list) else [value], 1)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def jsonl_rows(file: SourceFile) -> Rows:
    """Read one row a line; blank lines are skipped."""
    # Split at newlines only: str.splitlines would also cut at U+2028, which JSON allows inside a text.
    for number, line in enumerate(file.text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, Broken(line)


def excel_rows(file: SourceFile) -> Rows:
    """Read every sheet of an .xlsx workbook. Empty cells are left out.

    A sheet's header is the first row that names columns of dialogues, else the first row with text.
    """
    import openpyxl

    check_unpacked(file, MAX_UNPACKED)
    try:
        book = openpyxl.load_workbook(io.BytesIO(file.data), read_only=True, data_only=True)
        sheets = [(sheet.title, list(sheet.iter_rows(values_only=True))) for sheet in book.worksheets]
    except Exception as error:  # openpyxl lets through whatever its many XML parts raise
        raise _damaged(file, "an Excel workbook (.xlsx)", error) from None
    number = 0
    for title, rows in sheets:
        header: list[str] | None = None
        above = _title_rows(rows)
        for index, cells in enumerate(rows):
            number += 1
            if not any(cell is not None and str(cell).strip() for cell in cells):
                continue
            if header is None:
                if index >= above:
                    header = [
                        str(cell).strip() if cell is not None else f"column {i}" for i, cell in enumerate(cells, 1)
                    ]
                continue
            named = zip(header, cells, strict=False)
            yield (
                number,
                SheetRow(
                    ((k, v if isinstance(v, int | float) else str(v)) for k, v in named if v is not None), str(title)
                ),
            )


def _title_rows(rows: Sequence[Sequence[Any]]) -> int:
    """Return how many rows of a sheet stand above its header."""
    for above, cells in enumerate(rows[:_TITLE_ROWS]):
        if is_header([str(cell) for cell in cells if cell is not None]):
            return above
    return 0


def parquet_rows(file: SourceFile) -> Rows:
    """Read a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(pa.BufferReader(file.data))
        meta = table.metadata
        size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        _check_size(file, size, MAX_UNPACKED)
        rows = [row for batch in table.iter_batches() for row in batch.to_pylist()]
    except (pa.ArrowException, OSError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise _damaged(file, "a Parquet file", error) from None
    yield from enumerate(rows, 1)


def arrow_rows(file: SourceFile) -> Rows:
    """Read an Arrow stream or file, as `Dataset.save_to_disk` writes them."""
    import pyarrow as pa

    try:
        opened = pa.ipc.open_file if file.data.startswith(b"ARROW1") else pa.ipc.open_stream
        rows: list[dict[str, Any]] = []
        with opened(pa.BufferReader(file.data)) as reader:
            batches = (
                (reader.get_batch(i) for i in range(reader.num_record_batches))
                if opened is pa.ipc.open_file
                else reader
            )
            for batch in batches:
                batch.validate(full=True)
                rows += batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise _damaged(file, "an Arrow file", error) from None
    yield from enumerate(rows, 1)


def check_unpacked(file: SourceFile, limit: int) -> None:
    """Raise InosukeError for a zip that is damaged or claims to unpack to more than ``limit`` bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(file, "a zip archive", error) from None
    _check_size(file, size, limit)


def _check_size(file: SourceFile, size: int, limit: int) -> None:
    if size > limit:
        raise InosukeError(f"{file.path}: unpacks to {size:,} bytes; expected at most {limit:,}. Split the file.")


def _salvage(text: str) -> Rows:
    """Walk a damaged JSON list object by object: what parses is a row, what lies between is a broken one."""
    decoder = json.JSONDecoder()
    number, position = 0, text.index("[") + 1
    while position < len(text):
        start = _skip(text, position)
        if start >= len(text) or text[start] == "]":
            return
        number += 1
        try:
            value, position = decoder.raw_decode(text, start)
            yield number, value
        except (ValueError, RecursionError):
            following = _NEXT_ROW.search(text, start + 1)
            position = following.end() - 1 if following else len(text)
            yield number, Broken(text[start:position].strip().rstrip(","))


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position


def _damaged(file: SourceFile, expected: str, error: Exception) -> InosukeError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return InosukeError(f"{file.path}: cannot be read ({reason}). Expected a whole file, {expected}; save it again.")


# suffix → reader
TABLES: dict[str, Callable[[SourceFile], Rows]] = {
    ".arrow": arrow_rows,
    ".csv": csv_rows,
    ".json": json_rows,
    ".jsonl": jsonl_rows,
    ".ndjson": jsonl_rows,
    ".parquet": parquet_rows,
    ".tsv": csv_rows,
    ".xlsx": excel_rows,
}
