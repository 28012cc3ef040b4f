"""Markdown inside a row: escapes, bold labels, emphasis. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

# CommonMark's punctuation that a backslash can escape.
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_ESCAPED_START = re.compile(r"^(\s*)(?:\\([#>+*_-])|(\d{1,3})\\([.)]))")
# An escaped mark stands for itself, so it waits as a character of the private use area until marks are read.
_WAITING = {"*": "\ue020", "_": "\ue021", "#": "\ue022", ">": "\ue023", "+": "\ue024", "-": "\ue025", ".": "\ue026"}
_WAITING |= {")": "\ue027"}
_BACK = str.maketrans({waiting: mark for mark, waiting in _WAITING.items()})
_EMPHASIS = re.compile(r"(?<!\w)(\*\*\*|\*\*|__|\*|_)(?=\S)(.+?)(?<=\S)\1(?!\w)")
_BOLD_TAG = re.compile(r"</?(?:b|strong)\s*>", re.IGNORECASE)
_ITALIC_TAG = re.compile(r"</?(?:i|em)\s*>", re.IGNORECASE)
_OTHER_TAG = re.compile(r"</?(?:u|font|span|small|big|mark)\b[^<>\n]{0,200}>", re.IGNORECASE)
# A bold label inside a row; the colon is in the bold or right behind it.
_BOLD_LABEL = re.compile(r"(?:\*\*|__)[^*_\n:：]{1,40}(?:[:：]\s*(?:\*\*|__)|(?:\*\*|__)\s*[:：])")


def unescaped(text: str) -> str:
    """Return a row without the backslashes of Markdown. ``restored`` gives back the marks that stand for themselves."""
    if "\\" not in text:
        return text
    text = _ESCAPED_START.sub(lambda m: m[1] + (m[3] or "") + _WAITING[m[2] or m[4]], text)
    return _ESCAPE.sub(lambda m: _WAITING[m[1]] if m[1] in "*_" else m[1], text)


def from_html(row: str) -> str:
    """Return a row with the marks of Markdown for tags of bold and italics, and without other tags of emphasis."""
    if "<" not in row:
        return row
    row = _ITALIC_TAG.sub("*", _BOLD_TAG.sub("**", row))
    return _OTHER_TAG.sub("", row)


def restored(text: str) -> str:
    """Return a text whose escaped marks are characters again."""
    return text.translate(_BACK)


def plain(text: str) -> str:
    """Return a row's words without emphasis, and its escaped marks as characters."""
    if "*" in text or "_" in text:
        for _ in range(3):  # bold around italics around words
            shorter = _EMPHASIS.sub(r"\2", text)
            if shorter == text:
                break
            text = shorter
    return restored(text)


def at_bold_labels(row: str) -> Iterable[str]:
    """Cut a row before each bold label but the one that opens it: each is another turn."""
    if row.count("**") < 3 and row.count("__") < 3:
        return (row,)
    cuts = [m.start() for m in _BOLD_LABEL.finditer(row) if row[: m.start()].strip(" \t*_-+>•")]
    if not cuts:
        return (row,)
    return [row[a:b].strip() for a, b in zip([0, *cuts], [*cuts, len(row)], strict=True)]
