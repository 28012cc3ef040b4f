"""The format of a file: what its content shows, else what its suffix promises.

To add a format, write one file under ``curation/importers/formats/`` with a function ``(SourceFile, Persona) ->
Imported``, and add one row to :data:`FORMATS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from curation.errors import InosukeError
from curation.importers.formats.data import archive, json_rows, other_archives, spreadsheet
from curation.importers.formats.documents import docx, epub, mediawiki, pdf, web_page
from curation.importers.formats.manga import manga109, mokuro
from curation.importers.formats.scripts import fountain, renpy, script, wiki
from curation.importers.formats.subtitles import (
    ass,
    comma_times,
    microdvd,
    sami,
    srt,
    start_times,
    ttml,
    vtt,
    youtube,
)
from curation.importers.source.source_file import Importer, SourceFile
from curation.persona import Persona
from curation.record import Imported
from curation.transcripts import collector

# How many characters at the start of a file are searched for a format's opening.
_HEAD = 4096
# Containers that no importer reads, named so that their error message does not call them damaged text: the old Excel.
_OTHER_MAGIC = (b"\xd0\xcf\x11\xe0",)


@dataclass(frozen=True, slots=True)
class Format:
    """A file format.

    ``suffixes`` are its usual extensions; ``opens`` (regex) and ``magic`` (bytes) identify it by the start of its
    content. A format with ``magic`` is binary: its files are never decoded. ``companions`` names the files that are
    read together with one, so that the cache notices when they change.
    """

    read: Importer
    suffixes: tuple[str, ...]
    opens: re.Pattern[str] | None = None
    magic: tuple[bytes, ...] = ()
    companions: Callable[[Path], list[Path]] = lambda path: []


class UnknownFormat(InosukeError):
    """No importer reads this file."""


def _opens(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def _zip(file: SourceFile, persona: Persona) -> Imported:
    return archive.read(file, persona, read_with_format, archive.zip_members, "zip")


def _seven_zip(file: SourceFile, persona: Persona) -> Imported:
    return archive.read(file, persona, read_with_format, other_archives.seven_zip_members, "7z")


def _rar(file: SourceFile, persona: Persona) -> Imported:
    return archive.read(file, persona, read_with_format, other_archives.rar_members, "rar")


@collector.paused()
def read_with_format(file: SourceFile, persona: Persona) -> Imported:
    """Read a file with the format that its content or its suffix names. Raises UnknownFormat where neither does."""
    found = format_of(file)
    return replace(found.read(file, persona), encoding="binary" if found.magic else file.encoding)


def format_of(file: SourceFile) -> Format:
    """Return the format of a file. Raises UnknownFormat, with the formats that are known."""
    suffix = file.path.suffix.lower()
    promised = next((f for f in FORMATS.values() if suffix in f.suffixes), None)
    fitting = [f for f in FORMATS.values() if f.magic and file.data.startswith(f.magic)]
    binary = bool(fitting) or file.data.startswith(_OTHER_MAGIC)
    if not binary:
        head = file.text[:_HEAD]
        fitting = [f for f in FORMATS.values() if f.opens and f.opens.search(head)]
    # Several may fit (a workbook is a zip): then the suffix decides, if it is one of them.
    found = next((f for f in fitting if f is promised), fitting[0] if fitting else None if binary else promised)
    if found is None:
        what = "a binary file" if binary else suffix or "a file without suffix"
        raise UnknownFormat(
            f"{file.path}: no importer for {what}. Known: {', '.join(sorted(IMPORTERS))}. "
            "Convert the file or leave it out."
        )
    return found


def companions(path: Path) -> list[Path]:
    """Return the files that are read together with a file of this name, whether they exist or not."""
    return [beside for f in FORMATS.values() if path.suffix.lower() in f.suffixes for beside in f.companions(path)]


_SRT_TIMES = r"\A\s*(?:\d+\s*\n)?\s*-?\d{1,2}:\d{1,2}:\d{1,2}[.,:]\d{1,3}\s*-->"

# `start,end` of SBV and SubViewer, on a line of its own.
_COMMA_TIMES = r"\d{1,3}:\d{1,2}:\d{1,2}[.:]\d{1,3}\s*,\s*\d{1,3}:\d{1,2}:\d{1,2}[.:]\d{1,3}\s*\n"

# An answer of api.php: an object whose first keys are these.
_MEDIAWIKI_ANSWER = (
    r'\A\s*\{\s*(?:"(?:batchcomplete|continue|warnings|servedby|curtimestamp|limits)"\s*:[^{}]*(?:\{[^{}]*\}[^{}]*)*,\s*)*'
    r'"(?:parse"\s*:\s*\{\s*"(?:title|pageid|wikitext|text)"|query"\s*:\s*\{)'
)

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")

# name → format. The order counts only where two formats fit the same content and the suffix belongs to neither.
FORMATS: dict[str, Format] = {
    "ass": Format(ass.read, (".ass", ".ssa"), _opens(r"\A\s*(?:;[^\n]*\s*)*\[Script Info\]|^\[V4\+? Styles\]")),
    "vtt": Format(vtt.read, (".vtt",), _opens(r"\A\s*WEBVTT")),
    "srt": Format(srt.read, (".srt",), _opens(_SRT_TIMES)),
    "microdvd": Format(microdvd.read, (".sub",), _opens(r"\A\s*\{\d+\}\s*\{\d+\}")),
    "ttml": Format(
        ttml.read, (".ttml", ".dfxp"), _opens(r"\A\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:\w+:)?tt[\s>]")
    ),
    "sbv": Format(comma_times.read_sbv, (".sbv",), _opens(rf"\A\s*{_COMMA_TIMES}")),
    "subviewer": Format(
        comma_times.read_subviewer,
        (),
        _opens(rf"\A\s*\[(?:INFORMATION|TITLE|SUBTITLE)\].*?\n\s*(?:{_COMMA_TIMES}|\[\d\d?:\d\d:\d\d\]\s*\n)"),
    ),
    "lrc": Format(
        start_times.read_lrc,
        (".lrc",),
        _opens(r"\A\s*(?:\[[a-z#]\w*:[^\]\n]*\]\s*)*\[\d{1,3}:\d{2}\.\d{1,3}\]"),
    ),
    "sami": Format(sami.read, (".smi", ".sami"), _opens(r"\A\s*<SAMI[\s>]")),
    "mpl2": Format(start_times.read_mpl2, (".mpl",), _opens(r"\A\s*\[\d{1,9}\]\s*\[\d{0,9}\]")),
    "tmplayer": Format(
        start_times.read_tmplayer, (), _opens(r"\A\s*\d{1,2}:\d{2}:\d{2}(?:,\d{1,2})?\s?[:=](?!\s*\d\d?:)[^\n]*\S")
    ),
    "srv": Format(
        youtube.read_srv,
        (".srv1", ".srv2", ".srv3"),
        _opens(r"\A\s*(?:<\?xml[^>]*>\s*)?<(?:timedtext|transcript)[\s>]"),
    ),
    "json3": Format(youtube.read_json3, (".json3",), _opens(r'\A\s*\{.*"tStartMs"\s*:')),
    "mediawiki": Format(mediawiki.read_export, (), _opens(r"\A\s*(?:<\?xml[^>]*>\s*)?<mediawiki[\s>]")),
    "mediawiki answer": Format(mediawiki.read_answer, (), _opens(_MEDIAWIKI_ANSWER)),
    "html": Format(
        web_page.read,
        (".html", ".htm", ".xhtml"),
        _opens(r"\A\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!doctype\s+html|<html[\s>])"),
    ),
    "manga109": Format(
        manga109.read,
        (".xml",),
        _opens(r"\A\s*(?:<\?xml[^>]*>\s*)?<book[\s>]"),
        companions=manga109.companions,
    ),
    "mokuro": Format(mokuro.read, (".mokuro",), _opens(r'\A\s*\{.*"(?:pages"\s*:\s*\[|blocks"\s*:\s*\[\s*\{\s*"box")')),
    "magi": Format(mokuro.read, (), _opens(r'\A\s*[\[{].{0,300}?"(?:panels|texts)"\s*:\s*\[\s*(?:\[|\])')),
    "wiki": Format(wiki.read, (".wiki", ".wikitext", ".mediawiki"), _opens(r"(?:\A|\n)[*:]*'''[^'\n]+(?::'''|''':)")),
    "jsonl": Format(json_rows.read_jsonl, (".jsonl", ".ndjson")),
    "json": Format(json_rows.read_json, (".json",)),
    "csv": Format(spreadsheet.read_csv, (".csv", ".tsv")),
    "zip": Format(_zip, (".zip",), magic=_ZIP),
    "7z": Format(_seven_zip, (".7z",), magic=(b"7z\xbc\xaf\x27\x1c",)),
    "rar": Format(_rar, (".rar",), magic=(b"Rar!\x1a\x07",)),
    "excel": Format(spreadsheet.read_excel, (".xlsx",), magic=_ZIP),
    "parquet": Format(spreadsheet.read_parquet, (".parquet",), magic=(b"PAR1",)),
    "arrow": Format(spreadsheet.read_arrow, (".arrow",), magic=(b"ARROW1", b"\xff\xff\xff\xff")),
    "epub": Format(epub.read, (".epub",), magic=_ZIP),
    "docx": Format(docx.read, (".docx",), magic=(*_ZIP, docx.OLE)),
    "pdf": Format(pdf.read, (".pdf",), magic=(b"%PDF",)),
    "fountain": Format(fountain.read, (".fountain",)),
    "renpy": Format(renpy.read, (".rpy",), companions=renpy.companions),
    "script": Format(script.read, (".txt", ".md", ".markdown", ".log")),
}

IMPORTERS: dict[str, Importer] = {suffix: f.read for f in FORMATS.values() for suffix in f.suffixes}
