"""What a text without script lines looks like, for the error message. Pure."""

from __future__ import annotations

import re

_QUOTES = '“”"「」『』«»'
_SAID = re.compile(
    r"[”\"»’]\s*,?\s*(?:[^\W\d_][\w'’-]*\s+){0,3}(?:said|says|asked|asks|shouted|shouts|cried|cries|replied|"
    r"whispered|yelled|answered|muttered|called|murmured|screamed|laughed|exclaimed|"
    r"nói|hỏi|hét|đáp|kêu|thì thầm|gào|la lên|cười)\b"
    r"|[”\"」』]\s*と",
    re.IGNORECASE,
)
_DASH_SAID = re.compile(
    r"^\s*[-–—]\s*\S.*[-–—,.!?]\s*(?:[^\W\d_]+\s+){0,3}(?:nói|hỏi|hét|đáp|kêu|gào|la lên|thì thầm)\b"
)
_LOGGED = re.compile(r"^[\[(]?\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_FIELD = re.compile(r"^[^\s:：][^:：\n]{0,40}[:：]\s*\S")
_NAMED = (
    ("a table with tabs", re.compile(r"^[^\t]{1,60}\t\S")),
    ("a list with dashes (`term - words`)", re.compile(r"^\S[^\n]{0,40}?\s[-–—]\s\S")),
    ("headings with prose below", re.compile(r"^#{1,6}\s+\S")),
)
# How many rows of a long file are looked at.
_LOOK = 2000


def has_speech(text: str) -> bool:
    """Return whether a text tells what people say: quotes with `said`, or dashes with `nói`."""
    return sum(bool(_SAID.search(row) or _DASH_SAID.match(row)) for row in _rows(text)) >= 1


def looks_like(text: str) -> str:
    """Return in words what a text without script lines looks like."""
    rows = _rows(text)
    if not rows:
        return "it is empty"
    if has_speech(text):
        return "it looks like prose with quoted speech (`“…” said Name`), and who speaks cannot be known for sure"
    if sum(row[0] in _QUOTES for row in rows) >= 0.3 * len(rows):
        return "it looks like prose or lines in quotes, without names"
    if sum(bool(_LOGGED.match(row)) for row in rows) >= 0.5 * len(rows):
        return "it looks like a program's log, or a chat without names"
    if sum(bool(_FIELD.match(row)) for row in rows) >= 0.5 * len(rows):
        return "it looks like a list of fields (`Title: words`), and too few of them are names that recur"
    for what, pattern in _NAMED:
        if sum(bool(pattern.match(row)) for row in rows) >= 0.5 * len(rows):
            return f"it looks like {what}, and no name in it recurs"
    return "it looks like prose or notes, without names"


def _rows(text: str) -> list[str]:
    return [row.strip() for row in text.split("\n", _LOOK)[:_LOOK] if row.strip()]
