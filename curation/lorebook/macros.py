"""Macros in an entry's content: ``{{char}}``, ``{{user}}``, ``{{random:A,B}}`` and the others of the V3 spec.

Nothing is drawn by chance: the same conversation gets the same words, or a model would be served another text than was
counted, cached and proved. ``{{random}}`` and ``{{roll}}`` change with the conversation, ``{{pick}}`` never does.
"""

from __future__ import annotations

import re
from hashlib import blake2b

_MACRO = re.compile(r"\{\{([^{}]*)\}\}")
_SPEAKER = re.compile(r"<(char|bot|user)>", re.IGNORECASE)
_MOST_SIDES = 10**9
_COMMA = re.compile(r"(?<!\\),")


def filled(content: str, character: str, user: str, seed: str = "") -> str:
    """Return a content as a model reads it. Unknown macros stay as they are."""

    def put(match: re.Match[str]) -> str:
        body = match[1].strip()
        if body.startswith("//"):
            return ""
        name, _, value = body.partition(":")
        name, value = name.strip().lower(), value.removeprefix(":").strip()
        if name in ("char", "user") and not value:
            return character if name == "char" else user
        if name in ("comment", "hidden_key"):
            return ""
        if name == "reverse":
            return value[::-1]
        if name in ("random", "pick") and value:
            choices = [part.replace("\\,", ",").strip() for part in _COMMA.split(value)]
            return choices[_drawn(content, "" if name == "pick" else seed, len(choices), match.start())]
        sides = value.lower().removeprefix("d").lstrip("0") if name == "roll" else ""
        if sides.isascii() and sides.isdigit():
            # Python refuses to read a number of thousands of digits.
            most = _MOST_SIDES if len(sides) > 9 else int(sides)
            return str(1 + _drawn(content, seed, most, match.start()))
        return match[0]

    text = _MACRO.sub(put, content)
    return _SPEAKER.sub(lambda match: user if match[1].lower() == "user" else character, text).strip()


def scanned(content: str) -> str:
    """Return what keys are looked for in when other entries are scanned: hidden keys count, comments do not."""

    def put(match: re.Match[str]) -> str:
        name, _, value = match[1].strip().partition(":")
        if name.startswith("//") or name.strip().lower() == "comment":
            return " "
        return value if name.strip().lower() == "hidden_key" else match[0]

    return _MACRO.sub(put, content)


def _drawn(content: str, seed: str, count: int, at: int) -> int:
    text = f"{at}\0{seed}\0{content}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest()) % count
