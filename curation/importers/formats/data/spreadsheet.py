"""CSV and TSV, Excel, Parquet and Arrow (a Hugging Face dataset on disk): rows with named columns."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from typing import Any

from curation.errors import InosukeError
from curation.importers.records.to_records import Broken, to_records
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported

# What a table may unpack to. A season of transcripts is a hundredth of it; a few kilobytes can claim terabytes.
MAX_UNPACKED = 1024 * 1024 * 1024
_FIELD_CHARS = 1_000_000


def read_csv(file: SourceFile, persona: Persona) -> Imported:
    """Read comma, semicolon or tab separated rows under a header. Raises InosukeError where there is no header."""
    return to_records(file, persona, _csv_rows(file), "csv")


def read_excel(file: SourceFile, persona: Persona) -> Imported:
    """Read every sheet of an .xlsx workbook; the first row with words is its header."""
    import openpyxl

    check_unpacked(file, MAX_UNPACKED)
    try:
        book = openpyxl.load_workbook(io.BytesIO(file.data), read_only=True, data_only=True)
        sheets = [(sheet.title, list(sheet.iter_rows(values_only=True))) for sheet in book.worksheets]
    except Exception as error:  # openpyxl lets through whatever its many XML parts raise
        raise _damaged(file, "an Excel workbook (.xlsx)", error) from None
    return to_records(file, persona, _excel_rows(sheets), "excel")


def read_parquet(file: SourceFile, persona: Persona) -> Imported:
    """Read a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(pa.BufferReader(file.data))
        meta = table.metadata
        size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        _check_size(file, size)
        rows = [_filled(row) for batch in table.iter_batches() for row in batch.to_pylist()]
    except (pa.ArrowException, OSError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise _damaged(file, "a Parquet file", error) from None
    return to_records(file, persona, enumerate(rows, 1), "parquet")


def read_arrow(file: SourceFile, persona: Persona) -> Imported:
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
                rows += map(_filled, batch.to_pylist())
    except (pa.ArrowException, OSError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise _damaged(file, "an Arrow file", error) from None
    return to_records(file, persona, enumerate(rows, 1), "arrow")


def check_unpacked(file: SourceFile, limit: int) -> None:
    """Raise InosukeError for a zip that is damaged or claims to unpack to more than ``limit`` bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(file, "a zip archive", error) from None
    _check_size(file, size, limit)


def _check_size(file: SourceFile, size: int, limit: int = MAX_UNPACKED) -> None:
    if size > limit:
        raise InosukeError(f"{file.path}: unpacks to {size:,} bytes; expected at most {limit:,}. Split the file.")


def _csv_rows(file: SourceFile) -> Iterator[tuple[int, Any]]:
    csv.field_size_limit(_FIELD_CHARS)
    first = file.text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(file.text.replace("\0", "")), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise _damaged(file, "a table with a header", error) from None
    if len(header) < 2 and len([c for c in header if c]) < 1:
        raise InosukeError(f"{file.path}: has no header. Expected a first row such as `speaker,text`; add one.")
    number = 1
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


def _excel_rows(sheets: list[tuple[str, list[tuple[Any, ...]]]]) -> Iterator[tuple[int, Any]]:
    number = 0
    for _title, rows in sheets:
        header: list[str] | None = None
        for cells in rows:
            number += 1
            if not any(cell is not None and str(cell).strip() for cell in cells):
                continue
            if header is None:
                header = [str(cell).strip() if cell is not None else f"column {i}" for i, cell in enumerate(cells, 1)]
                continue
            row = _filled(dict(zip(header, cells, strict=False)))
            yield number, {k: v if isinstance(v, int | float) else str(v) for k, v in row.items()}


def _filled(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without its empty cells: a table cannot leave a column out, as an object can."""
    return {name: value for name, value in row.items() if value is not None}


def _damaged(file: SourceFile, expected: str, error: Exception) -> InosukeError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return InosukeError(f"{file.path}: cannot be read ({reason}). Expected {expected} that is whole; save it again.")
