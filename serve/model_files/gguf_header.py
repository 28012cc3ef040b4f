"""Reads what a GGUF file says of its model: how long a conversation may be, and what the cache keeps of a token.

Reads the header alone, up to the last value that is needed. The library `gguf` would read the vocabulary too, which
takes seconds, and a Space does without it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

# Value types by number, as in the specification of GGUF in ggml.
_FIXED = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_KEPT = ("context_length", "block_count", "embedding_length", "attention.head_count", "attention.head_count_kv",
         "attention.key_length", "attention.value_length")  # fmt: skip
_HALF = 2  # bytes: llama.cpp keeps keys and values in fp16


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """``context`` is how many positions the model was made for, in tokens; ``cache_bytes`` what one of them takes."""

    context: int | None
    cache_bytes: int


def read_header(path: Path) -> GgufHeader:
    """Read a file's header. What it does not say is None, or 0 bytes."""
    with path.open("rb") as file:
        file.seek(16)  # magic, version, number of tensors
        found: dict[str, Any] = {}
        for _ in range(_number(file, "<Q")):
            key = _text(file)
            value = _value(file, _number(file, "<I"))
            name = key.partition(".")[2]
            if name in _KEPT and not key.startswith(("general.", "tokenizer.")):
                found[name] = value
            if len(found) == len(_KEPT):
                break
    heads = found.get("attention.head_count") or 0
    head = found.get("embedding_length", 0) // heads if isinstance(heads, int) and heads else 0
    both = found.get("attention.key_length", head) + found.get("attention.value_length", head)
    layers = found.get("block_count", 0)
    shared = found.get("attention.head_count_kv", heads)  # a number, or one for each layer
    return GgufHeader(
        found.get("context_length"),
        (sum(shared) if shared and isinstance(shared, list) else shared * layers) * both * _HALF,
    )


def read_text_key(path: Path, wanted: str) -> str | None:
    """Return the text under a key of a file's header, or None. Raises no error: a file without GGUF has no keys."""
    try:
        with path.open("rb") as file:
            file.seek(16)
            for _ in range(_number(file, "<Q")):
                key = _text(file)
                value = _value(file, _number(file, "<I"))
                if key == wanted:
                    return str(value)
    except (struct.error, KeyError, OSError, MemoryError, OverflowError):
        pass
    return None


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind != _ARRAY:
        return _number(file, _FIXED[kind])
    kind, count = _number(file, "<I"), _number(file, "<Q")
    if kind in _FIXED:
        data = file.read(struct.calcsize(_FIXED[kind]) * count)
        return [n for (n,) in struct.iter_unpack(_FIXED[kind], data)]
    for _ in range(count):  # a vocabulary: passed over
        _value(file, kind)
    return None


def _number(file: BinaryIO, form: str) -> Any:
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _text(file: BinaryIO) -> str:
    return file.read(_number(file, "<Q")).decode("utf-8", "replace")
