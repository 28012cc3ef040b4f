"""Cleaning: the same words in one spelling. Pure; a sample in, the sample or a rejection out.

Cleaning never changes a sample's id, which names the text as it was imported.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from curation.record import Message, Rejected, Sample

# Zero-width and bidirectional marks, the byte order mark, and control characters other than tab and newline.
_INVISIBLE = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]"
)
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029\x85]")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r" ?\n(?: ?\n)* ?")


def clean_text(text: str) -> str:
    """Return a text in NFC, without invisible characters, whitespace collapsed; ``clean(clean(x)) == clean(x)``."""
    text = _LINE_ENDS.sub("\n", text)
    # Invisible characters first: one between a letter and its accent would keep NFC from composing the two.
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return _BLANK_LINES.sub("\n", _SPACES.sub(" ", text)).strip()


def clean(sample: Sample) -> Sample | Rejected:
    """Clean every turn. A turn without visible characters rejects the sample as ``empty_after_cleaning``."""
    try:
        messages = tuple(Message(m.role, clean_text(m.content), m.name) for m in sample.messages)
        for message in messages:
            message.content.encode("utf-8")
    except UnicodeEncodeError:
        text = " / ".join(m.content for m in sample.messages).encode("utf-8", "backslashreplace").decode("utf-8")
        return Rejected(
            source=sample.source, reason="not_unicode", text=text, detail="a lone surrogate: half of a character"
        )
    if any(not m.content for m in messages):
        text = " / ".join(m.content for m in sample.messages)
        return Rejected(
            source=sample.source, reason="empty_after_cleaning", text=text, detail="a turn has no visible characters"
        )
    return sample if messages == sample.messages else replace(sample, messages=messages)
