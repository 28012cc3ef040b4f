"""Finds the GGUF file that a base was made from: llama.cpp's own description of the base's tokenizer is in it.

In: a base, whose folder's stamp tells where it came from; its ``vocabulary.json`` where the vocabulary is cut. Out:
paths, checked. Knows nothing of runs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation import bases
from curation.errors import InosukeError
from curation.files import sha256_file
from train.model.base_model import BaseModel
from train.model.embedded import KEPT, STAMP


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A GGUF file, and ``{"kept": [ids of the file in their new order]}``; None where every token was kept."""

    gguf: Path
    vocabulary: Path | None


def find(base: BaseModel) -> SourceFile | None:
    """Return the GGUF file that a base was made from; None for a base that came as safetensors.

    Raises InosukeError when the file does not exist any more or has changed, and when the stamp or ``vocabulary.json``
    is damaged.
    """
    folder = Path(base.location)
    if not base.is_local or not (folder / STAMP).is_file():
        return None
    again = f"Remove the folder {folder} and run the command again: the base is then made again."
    stamp = _object(folder / STAMP, again)
    gguf = _source(folder, stamp)
    if gguf is None:
        return None
    if not gguf.is_file():
        raise InosukeError(
            f"{gguf}: missing. The base {base.name} was made from it, and GGUF files of a run need its tokenizer. Put "
            f"it back. {again}"
        )
    if (found := sha256_file(gguf)) != stamp.get("gguf_sha256"):
        raise InosukeError(
            f"{gguf}: has changed since the base {base.name} was made from it. Its SHA-256 is {found}; expected "
            f"{stamp.get('gguf_sha256')}. Put the first file back. {again}"
        )
    vocabulary = folder / KEPT
    if not vocabulary.is_file():
        return SourceFile(gguf, None)
    kept = _object(vocabulary, again).get("kept")
    if not isinstance(kept, list) or not kept or not all(type(i) is int and i >= 0 for i in kept):
        raise InosukeError(f"{vocabulary}: damaged; expected `kept`, a list of token ids. {again}")
    return SourceFile(gguf, vocabulary)


def _source(folder: Path, stamp: dict[str, Any]) -> Path | None:
    """Return where the source is: a file of the user's own, or one of the table of bases, beside the folder."""
    if "gguf" in stamp:
        return folder.parent / str(stamp["gguf"])
    row = bases.find(str(stamp.get("base", "")))
    return folder.parent / row.gguf_file if row and row.gguf_file else None


def _object(file: Path, again: str) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InosukeError(f"{file}: damaged ({error}). {again}") from error
    if not isinstance(content, dict):
        raise InosukeError(f"{file}: damaged; expected a JSON object. {again}")
    return content
