"""The macros of a card's texts, such as ``{{char}}``, resolved once for rows and drafts, as in a lorebook. Pure."""

from __future__ import annotations

import re

from curation.lorebook.macros import filled

_ORIGINAL = re.compile(r"\{\{\s*original\s*\}\}", re.IGNORECASE)
_YOU = {"vi": "bạn"}


def resolve(text: str, name: str, user: str = "you") -> str:
    """Return the text with the specification's macros replaced. ``{{original}}``, which has no meaning here, goes."""
    return filled(_ORIGINAL.sub("", text), name, user)


def you(language: str) -> str:
    """Return what ``{{user}}`` becomes in a language."""
    return _YOU.get(language, "you")
