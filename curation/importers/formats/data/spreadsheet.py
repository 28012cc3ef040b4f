"""CSV and TSV, Excel, Parquet and Arrow (a Hugging Face dataset on disk): rows with named columns."""

from __future__ import annotations

from typing import Any

from curation.importers.records.from_rows import to_records
from curation.importers.source.source_file import SourceFile
from curation.importers.source.tables import Rows, arrow_rows, csv_rows, excel_rows, parquet_rows
from curation.persona import Persona
from curation.record import Imported


def read_csv(file: SourceFile, persona: Persona) -> Imported:
    """Read comma, semicolon or tab separated rows under a header. Raises InosukeError where there is no header."""
    return to_records(file, persona, csv_rows(file), "csv")


def read_excel(file: SourceFile, persona: Persona) -> Imported:
    """Read every sheet of an .xlsx workbook; the first row with text is its header."""
    return to_records(file, persona, excel_rows(file), "excel")


def read_parquet(file: SourceFile, persona: Persona) -> Imported:
    """Read a Parquet file."""
    return to_records(file, persona, _filled(parquet_rows(file)), "parquet")


def read_arrow(file: SourceFile, persona: Persona) -> Imported:
    """Read an Arrow stream or file, as `Dataset.save_to_disk` writes them."""
    return to_records(file, persona, _filled(arrow_rows(file)), "arrow")


def _filled(rows: Rows) -> Rows:
    """Remove empty cells: a table cannot leave a column out, as an object can."""
    for number, row in rows:
        filled: dict[str, Any] = {name: value for name, value in row.items() if value is not None}
        yield number, filled
