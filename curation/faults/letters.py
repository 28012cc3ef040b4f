"""Letters that were lost: question marks, boxes and damaged letters inside words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from curation.faults.registry import fault
from curation.faults.syllables import is_syllable
from curation.persona import Persona

_WORD = re.compile(r"[^\W\d_]+")
_BOXES = re.compile(r"\w*[\ufffd□▯￿￾]+\w*")
# Letters as programs write them down: `\u1ea1`, `%E1%BA%A1`, `\xe1`.
_ESCAPES = re.compile(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|(?:%[0-9A-F]{2}){2,}")
# Vietnamese fonts from before Unicode, read without the font: `lµ chóa tÓ`, `laø chuùa`. One such word is a name.
_OLD_FONT = re.compile(r"[^\W\d_]*(?:(?<=[^\W\d_])[µ¸¶®§¨©ª«¬¹»¼½¾]|[øåñïöëæßþðØÅÑÏÖËÆÞÐ])[^\W\d_]*")
# A question mark after a word, in the middle of a sentence: three of them are letters that were lost.
_QUESTIONED = re.compile(r"\w*\?(?= [a-zà-ỹđ])|\w+\?\w+")
_MARKED = re.compile(r"(?<![\w/=?&])[^\W\d_]*(?:[^\W\d_]\?+[^\W\d_])(?:[^\W\d_]|\?(?=\w))*")
# `m_nh nh_t`: an underscore inside two words or more.
_LINED = re.compile(r"(?<![\w/@.])[^\W\d_]+_[^\W\d_]+(?![\w/@.])")
_VOWELS = re.compile("[aeiouyăâêôơưà-ỹ]", re.IGNORECASE)


@fault
def lost_letters(text: str, persona: Persona) -> Iterable[str]:
    """A word of the reply has a question mark or a box where a letter was."""
    yield from (m.group() for m in _BOXES.finditer(text))
    yield from (m.group() for m in _ESCAPES.finditer(text))
    odd = [*(m.group() for m in _OLD_FONT.finditer(text)), *filter(_has_capital_inside, _WORD.findall(text))]
    if len(odd) > 1 and "vi" in persona.languages:
        yield from odd
    open_words = [m.group() for m in _QUESTIONED.finditer(text)]
    if len(open_words) > 2:
        yield from open_words
    lined = [m.group() for m in _LINED.finditer(text)]
    if len(lined) > 1 and not all(is_syllable(part) for word in lined for part in word.split("_")):
        yield from lined
    found = [m.group() for m in _MARKED.finditer(text)]
    # `sao?ta` only lacks a space. `m?nh` cannot be two words, and `sao?Ta` begins another sentence.
    if broken := [word for word in found if _is_broken(word)]:
        yield from broken
    elif len(found) > 2 and not any(_new_sentence(word) for word in found):
        yield from found


def _has_capital_inside(word: str) -> bool:
    """Return whether a marked capital follows a small letter, as in `tÓ`."""
    return any(a.islower() and b.isupper() and not b.isascii() for a, b in pairwise(word))


def _is_broken(word: str) -> bool:
    parts = re.split(r"\?+", word)
    if _new_sentence(word):
        return False
    return not all(is_syllable(part) or (len(part) > 2 and _VOWELS.search(part)) for part in parts if part)


def _new_sentence(word: str) -> bool:
    return any(part[:1].isupper() for part in re.split(r"\?+", word)[1:])
