"""The macros of a card's texts, such as ``{{char}}``, resolved once for rows and drafts. Pure.

A choice takes its first value, so that importing twice gives the same text. An unknown macro stays as it is.
"""

from __future__ import annotations

import re

_MACRO = re.compile(r"\{\{([^{}]*)\}\}")
_LEGACY = {"<bot>": "char", "<char>": "char", "<user>": "user"}
_TAG = re.compile("|".join(_LEGACY), re.IGNORECASE)
_COMMA = re.compile(r"(?<!\\),")
_YOU = {"vi": "ngươi"}


def resolve(text: str, name: str, user: str = "you") -> str:
    """Return the text with the macros of the specification replaced."""

    def value(match: re.Match[str]) -> str:
        body = match[1].strip()
        key, _, rest = body.partition(":")
        key = key.strip().casefold()
        if body.casefold() in ("char", "user"):
            return name if body.casefold() == "char" else user
        if body.startswith("//") or key in ("hidden_key", "comment") or body.casefold() == "original":
            return ""
        if key in ("random", "pick"):
            return _COMMA.split(rest.lstrip(":"))[0].replace("\\,", ",").strip()
        if key == "roll":
            return "1"
        return rest[::-1] if key == "reverse" else match[0]

    return _MACRO.sub(value, _TAG.sub(lambda m: "{{" + _LEGACY[m[0].lower()] + "}}", text))


def you(language: str) -> str:
    """Return what ``{{user}}`` becomes in a language."""
    return _YOU.get(language, "you")
