"""A card's fields as texts, whatever stands there: cards come from everywhere, often with a number or a list. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Control characters, and marks that reorder the words around them. A terminal obeys the ones, a reader the others.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_BREAK = re.compile("\r\n?|\x85|\u2028|\u2029")


def text_of(value: Any) -> str:
    """Return a text as it is, a number as text, the texts of a list as lines; an empty text for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return "\n".join(one for one in value if isinstance(one, str)) if isinstance(value, list) else ""


def texts_of(value: Any) -> list[str]:
    """Return the texts and numbers of a list, or a text alone as a list; those in other places are left out."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    return [text_of(one) for one in value if isinstance(one, str | int | float)] if isinstance(value, list) else []


def entries_of(book: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the entries of a lorebook and their places; those of SillyTavern's world files are in an object."""
    entries = book.get("entries") if isinstance(book, Mapping) else None
    if isinstance(entries, Mapping):
        named = [(f"entries.{key}", entry) for key, entry in entries.items()]
    else:
        named = [(f"entries[{n}]", entry) for n, entry in enumerate(entries if isinstance(entries, list) else ())]
    return [(place, entry) for place, entry in named if isinstance(entry, Mapping)]


def clean(text: str) -> str:
    """Return a text for a person and a model: without control characters, with ``\\n`` for each line break.

    A lone surrogate, which UTF-8 does not have, becomes U+FFFD. The kept card still has it all.
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub("", _BREAK.sub("\n", whole))


def name_of(value: Any, most: int = 100) -> str:
    """Return a name on one line, cut where it is no name any more."""
    return " ".join(clean(text_of(value)).split())[:most].rstrip()
