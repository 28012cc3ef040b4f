"""JSON and JSONL files of rows: alpaca ``{"instruction", "input", "output"}``. One bad row never costs the others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from curation import chat
from curation.errors import InosukeError
from curation.importers.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected, Sample

# Where the next row of a damaged list begins: an object that opens a line or follows a comma.
_NEXT_ROW = re.compile(r"(?:^|,)[ \t\r]*\{", re.MULTILINE)


class _Broken(str):
    """The text of a row that is not JSON."""

    __slots__ = ()


def read_json(file: SourceFile, persona: Persona) -> Imported:
    """Read a JSON list of rows (or a single row). Raises InosukeError for a file that is not JSON at all."""
    try:
        value = json.loads(file.text)
    except RecursionError:
        raise InosukeError(f"{file.path}: nested too deep to be a list of rows. Expected [{{…}}, {{…}}].") from None
    except ValueError as error:
        if not file.text.lstrip().startswith("["):
            raise InosukeError(
                f"{file.path}: not valid JSON ({error}). Expected a list of "
                '{"instruction", "input", "output"} objects; mend the file and try again.'
            ) from None
        return _samples(file, persona, _salvage(file.text))
    return _samples(file, persona, enumerate(value if isinstance(value, list) else [value], 1))


def read_jsonl(file: SourceFile, persona: Persona) -> Imported:
    """Read one row a line; blank lines are skipped."""
    return _samples(file, persona, _lines(file.text))


def _lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, _Broken(line)


def _salvage(text: str) -> Iterator[tuple[int, Any]]:
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
            yield number, _Broken(text[start:position].strip().rstrip(","))


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position


def _samples(file: SourceFile, persona: Persona, numbered: Iterator[tuple[int, Any]] | enumerate[Any]) -> Imported:
    kind = persona.kind_of(file.path.name)
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    for number, row in numbered:
        source = file.at(f"row {number}", "alpaca")
        if isinstance(row, _Broken):
            rejected.append(Rejected(source, "bad_json", row, "the row is not valid JSON"))
            continue
        try:
            samples.append(replace(chat.from_alpaca(row, kind, persona), source=source))
        except chat.BadRow as error:
            rejected.append(Rejected(source, error.reason, json.dumps(row, ensure_ascii=False), str(error)))
    return Imported(samples=tuple(samples), rejected=tuple(rejected), format="alpaca")
