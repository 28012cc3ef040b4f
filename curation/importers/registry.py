"""Which importer reads a file: what its content says outright, else what its suffix promises.

To add a format, write ``curation/importers/<format>.py`` with a function ``(SourceFile, Persona) -> Imported`` and add
one entry to :data:`FORMATS`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from curation.errors import InosukeError
from curation.importers.formats.data import archive as zip_archive
from curation.importers.formats.data import json_rows, spreadsheet
from curation.importers.formats.manga import manga109, mokuro
from curation.importers.formats.scripts import script, wiki
from curation.importers.formats.subtitles import ass, microdvd, srt, ttml, vtt
from curation.importers.source.source_file import Importer, SourceFile
from curation.persona import Persona
from curation.record import Imported

# Characters (or bytes) at the start of a file that a format is recognised by.
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Format:
    """How a format is known: ``suffixes`` promise it; ``opens`` and ``magic`` are how a file begins that is one,

    whatever it is called.
    """

    read: Importer
    suffixes: tuple[str, ...]
    opens: re.Pattern[str] | None = None
    magic: tuple[bytes, ...] = ()


class UnknownFormat(InosukeError):
    """No importer knows this file."""


def _opens(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def _zip(file: SourceFile, persona: Persona) -> Imported:
    return zip_archive.read(file, persona, choose)


def choose(file: SourceFile, persona: Persona) -> Imported:
    """Read a file with the format that its content or its suffix names. Raises UnknownFormat where neither does."""
    return format_of(file)(file, persona)


def format_of(file: SourceFile) -> Importer:
    """Return the importer of a file. Raises UnknownFormat, with what is known."""
    suffix = file.path.suffix.lower()
    promised = IMPORTERS.get(suffix)
    fitting = [f for f in FORMATS.values() if f.magic and file.data.startswith(f.magic)]
    if not fitting and file.encoding != "binary":
        head = file.text[:_HEAD]
        fitting = [f for f in FORMATS.values() if f.opens and f.opens.search(head)]
    # Several may fit (a workbook is a zip): then the suffix decides, if it is one of them.
    recognised = next((f.read for f in fitting if f.read is promised), fitting[0].read if fitting else None)
    if recognised is None and (promised is None or file.encoding == "binary"):
        what = "a binary file" if file.encoding == "binary" else suffix or "a file without suffix"
        raise UnknownFormat(
            f"{file.path}: no importer for {what}. Known: {', '.join(sorted(IMPORTERS))}. "
            "Convert the file or leave it out."
        )
    found = recognised or promised
    assert found is not None
    return found


_SRT_TIMES = r"\A\s*(?:\d+\s*\n)?\s*-?\d{1,2}:\d{1,2}:\d{1,2}[.,]\d{1,3}\s*-->"

# name → format. The order counts only where two fit the same content and the suffix is neither's.
FORMATS: dict[str, Format] = {
    "ass": Format(ass.read, (".ass", ".ssa"), _opens(r"\A\s*(?:;[^\n]*\s*)*\[Script Info\]|^\[V4\+? Styles\]")),
    "vtt": Format(vtt.read, (".vtt",), _opens(r"\A\s*WEBVTT")),
    "srt": Format(srt.read, (".srt",), _opens(_SRT_TIMES)),
    "microdvd": Format(microdvd.read, (".sub",), _opens(r"\A\s*\{\d+\}\s*\{\d+\}")),
    "ttml": Format(
        ttml.read, (".ttml", ".dfxp"), _opens(r"\A\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:\w+:)?tt[\s>]")
    ),
    "manga109": Format(manga109.read, (".xml",), _opens(r"\A\s*(?:<\?xml[^>]*>\s*)?<book[\s>]")),
    "mokuro": Format(mokuro.read, (".mokuro",), _opens(r'\A\s*\{.*"(?:pages"\s*:\s*\[|blocks"\s*:\s*\[\s*\{\s*"box")')),
    "wiki": Format(wiki.read, (".wiki", ".wikitext", ".mediawiki"), _opens(r"(?:\A|\n)[*:]*'''[^'\n]+(?::'''|''':)")),
    "jsonl": Format(json_rows.read_jsonl, (".jsonl", ".ndjson")),
    "json": Format(json_rows.read_json, (".json",)),
    "csv": Format(spreadsheet.read_csv, (".csv", ".tsv")),
    "zip": Format(_zip, (".zip",), magic=(b"PK",)),
    "excel": Format(spreadsheet.read_excel, (".xlsx",), magic=(b"PK",)),
    "parquet": Format(spreadsheet.read_parquet, (".parquet",), magic=(b"PAR1",)),
    "arrow": Format(spreadsheet.read_arrow, (".arrow",), magic=(b"ARROW1", b"\xff\xff\xff\xff")),
    "script": Format(script.read, (".txt", ".md", ".markdown")),
}

IMPORTERS: dict[str, Importer] = {suffix: f.read for f in FORMATS.values() for suffix in f.suffixes}
