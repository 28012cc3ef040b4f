"""The decorators of an entry: leading lines ``@@name value`` of its content, with ``@@@name value`` as fallbacks.

The spec (V3) lets an application ignore what it does not know. Here each decorator that has no effect is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_LINE = re.compile(r"(?P<marks>@@@?)(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:[ \t]+(?P<value>.*?))?[ \t]*")


def _number(value: str) -> int:
    number = int(value)
    if not 0 <= number <= 100_000:
        raise ValueError
    return number


def _from_one(value: str) -> int:
    if not (number := _number(value)):
        raise ValueError
    return number


def _texts(value: str) -> tuple[str, ...]:
    if not (texts := tuple(part.strip() for part in value.split(",") if part.strip())):
        raise ValueError
    return texts


def _flag(value: str) -> bool:
    if value.lower() not in ("", "true"):
        raise ValueError
    return True


# What is understood: the decorator → the field of an entry, and how its value is read.
UNDERSTOOD: dict[str, tuple[str, Callable[[str], Any]]] = {
    "activate": ("always", _flag),
    "activate_only_after": ("after", _number),
    "activate_only_every": ("every", _from_one),
    "additional_keys": ("also", _texts),
    "dont_activate": ("never", _flag),
    "dont_activate_after_match": ("once", _flag),
    "exclude_keys": ("excluded", _texts),
    "keep_activate_after_match": ("keeps", _flag),
    "scan_depth": ("scan_depth", _number),
}
_PLACE = "a fact stands before the newest message, a constant one beside the system prompt"
_NO_TEXT = "a conversation is messages, not one text"
# What the spec has and this project does not do, with the reason.
NOT_UNDERSTOOD = {
    "depth": _PLACE,
    "disable_ui_prompt": "the system prompt is persona.toml's",
    "ignore_on_max_context": "where the window is short, the budget decides",
    "instruct_depth": _NO_TEXT,
    "instruct_scan_depth": _NO_TEXT,
    "is_greeting": "which greeting a conversation began with is not known",
    "is_user_icon": "visitors have no icons",
    "position": _PLACE,
    "reverse_depth": _PLACE,
    "reverse_instruct_depth": _NO_TEXT,
    "role": _PLACE,
}


def split(content: str) -> tuple[str, dict[str, Any], list[str]]:
    """Return a content without its decorators, the fields of an entry that they set, and a note on each ignored one."""
    lines = content.split("\n")
    fields: dict[str, Any] = {}
    notes: list[str] = []
    seen: set[str] = set()
    waits = False  # the decorator above was not understood, so a fallback counts
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        match = _LINE.fullmatch(line)
        if line and match is None:
            break
        at += 1
        if match is None:
            continue
        name, value, fallback = match["name"].lower(), match["value"] or "", match["marks"] == "@@@"
        if fallback and not waits:
            continue
        if name in seen:  # of two with one name the first counts
            waits = False
            continue
        problem = _read(name, value, fields)
        waits = bool(problem)
        if problem:
            notes.append(problem)
        else:
            seen.add(name)
    return "\n".join(lines[at:]).strip(), fields, notes


def _read(name: str, value: str, fields: dict[str, Any]) -> str:
    """Set the field of a decorator. Return why it has no effect, or ""."""
    if name not in UNDERSTOOD:
        return f"@@{name} is not understood: {NOT_UNDERSTOOD.get(name, 'the spec does not have it')}"
    field, read = UNDERSTOOD[name]
    try:
        fields[field] = read(value)
    except ValueError:
        return f"@@{name} is not understood: its value is {value[:40]!r}"
    return ""
