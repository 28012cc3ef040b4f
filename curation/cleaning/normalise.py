"""Cleaning: the same words in one form. Pure; a sample in, the sample or a rejection out.

:func:`clean_text` removes what no reader sees; importers call it, too. :func:`clean` also spells the words in one way
(:mod:`curation.cleaning.spelling`) and keeps what it changed in a `respelled` flag. It never changes a sample's id,
which names the text as it was imported.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace

from curation.cleaning.spelling import respell
from curation.record import Flag, Rejected, Sample

# Zero-width, bidirectional and annotation marks, soft hyphens, the byte order mark, and control characters other than
# tab and newline. U+200D joins emoji too: a joined one becomes its parts.
INVISIBLE = re.compile(
    "[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]"
)
# A control character between two letters stands where a letter was.
_LOST = re.compile(r"\w*[^\W\d_][\x00-\x08\x0e-\x1b\x7f]+[^\W\d_]\w*")
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029\x85]")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r" ?\n(?: ?\n)* ?")


def clean_text(text: str) -> str:
    """Return a text in NFC, without invisible characters, whitespace collapsed; ``clean(clean(x)) == clean(x)``."""
    text = _LINE_ENDS.sub("\n", text)
    # Invisible characters first: one between a letter and its accent would keep NFC from composing the two.
    text = unicodedata.normalize("NFC", INVISIBLE.sub("", text))
    return _BLANK_LINES.sub("\n", _SPACES.sub(" ", text)).strip()


def clean(sample: Sample) -> Sample | Rejected:
    """Clean and respell every turn. One without visible characters rejects the sample as ``empty_after_cleaning``."""
    changes: Counter[str] = Counter()
    try:
        spelled = [(m, *respell(clean_text(m.content))) for m in sample.messages]
        messages = tuple(replace(m, content=content) for m, content, _ in spelled)
        for _, _, changed in spelled:
            changes += changed
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
    if any(_LOST.search(m.content) for m in sample.messages):
        word = next(found.group() for m in sample.messages if (found := _LOST.search(m.content)))
        sample = replace(sample, flags=(*sample.flags, Flag("damaged_letters", INVISIBLE.sub("·", word))))
    if changes:
        detail = "; ".join(f"{change} ×{count}" for change, count in changes.items())
        sample = replace(sample, flags=(*sample.flags, Flag("respelled", detail)))
    return sample if messages == sample.messages else replace(sample, messages=messages)
