"""Tables: text with a BOM or in UTF-16, and the containers (Parquet, Excel, Arrow, zip)."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

from tests.curation.importers.scenes import subtitles
from tests.curation.importers.scenes.neutral import Said

_COLUMNS = ("scene", "start", "end", "speaker", "text")


def _row(line: Said) -> dict[str, str]:
    start, end = (f"{ms / 1000:.2f}" for ms in (line.start, line.end))
    return dict(zip(_COLUMNS, (line.scene, start, end, line.speaker, line.text), strict=True))


def _separated(lines: list[Said], delimiter: str) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(_row, lines))
    return out.getvalue()


def csv_bom(lines: list[Said]) -> bytes:
    """With a BOM, as spreadsheets save it."""
    return _separated(lines, ",").encode("utf-8-sig")


def tsv_wide(lines: list[Said]) -> bytes:
    """Excel's "Unicode text"."""
    return _separated(lines, "\t").encode("utf-16")


def containers(lines: list[Said], folder: Path) -> None:
    """Write the binary tables. Their bytes depend on library versions, so tests compare the records read from them."""
    import openpyxl
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([_row(line) for line in lines], pa.schema([(c, pa.string()) for c in _COLUMNS]))
    pq.write_table(table, folder / "scenes.parquet")
    on_disk = folder / "scenes.hf"  # as Dataset.save_to_disk leaves it
    on_disk.mkdir(exist_ok=True)
    data = "data-00000-of-00001.arrow"
    with pa.ipc.new_stream(str(on_disk / data), table.schema) as stream:
        stream.write_table(table)
    features = {c: {"dtype": "string", "_type": "Value"} for c in _COLUMNS}
    _json(on_disk / "dataset_info.json", {"citation": "", "description": "", "features": features, "license": ""})
    _json(on_disk / "state.json", {"_data_files": [{"filename": data}], "_fingerprint": "ba-canh", "_split": None})
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Ba cảnh"
    sheet.append(_COLUMNS)
    for line in lines:
        sheet.append((int(line.scene), line.start / 1000, line.end / 1000, line.speaker or None, line.text))
    book.save(folder / "scenes.xlsx")
    with zipfile.ZipFile(folder / "scenes.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        member = zipfile.ZipInfo("season 1/scenes.srt", (2026, 1, 1, 0, 0, 0))
        archive.writestr(member, subtitles.srt(lines), zipfile.ZIP_DEFLATED)


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8", newline="\n")
