"""JSON and JSONL files of rows. A damaged list is walked object by object: one bad row never costs others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from curation.errors import InosukeError
from curation.importers.records.to_records import Broken, to_records
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported

# Where the next row of a damaged list begins: an object that opens a line or follows a comma.
_NEXT_ROW = re.compile(r"(?:^|,)[ \t\r]*\{", re.MULTILINE)
# What `Dataset.save_to_disk` writes beside its Arrow files: about the data, none of it.
_HF_FILES = {"dataset_info.json", "state.json", "dataset_dict.json"}


def read_json(file: SourceFile, persona: Persona) -> Imported:
    """Read a JSON list of rows (or a single row). Raises InosukeError for a file that is not JSON at all."""
    if file.path.name in _HF_FILES and file.text.lstrip().startswith("{"):
        return Imported(format="skipped (about a Hugging Face dataset)")
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
        return to_records(file, persona, _salvage(file.text), "json")
    return to_records(file, persona, enumerate(value if isinstance(value, list) else [value], 1), "json")


def read_jsonl(file: SourceFile, persona: Persona) -> Imported:
    """Read one row a line; blank lines are skipped."""
    return to_records(file, persona, _lines(file.text), "json")


def _lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, Broken(line)


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
            yield number, Broken(text[start:position].strip().rstrip(","))


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position
