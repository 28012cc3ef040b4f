"""Letters that were lost: question marks, boxes and damaged letters inside words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from curation.cleaning.chat_spelling import is_chat_word
from curation.faults.registry import fault
from curation.faults.syllables import is_syllable
from curation.persona import Persona

_WORD = re.compile(r"[^\W\d_]+")
_BOXES = re.compile(r"\w*[\ufffd□▯￿￾\ue000-\uf8ff]+\w*")
# A mark beside its letter instead of on it, as text copied from a PDF has it: `nu´i`, `tha^´y`.
_APART = re.compile(r"[^\W\d_]+(?:[´ˆ˜¨]|(?<=[aeoAEO])\^)[´`~.]?\w*")
# Letters as programs write them down: `\u1ea1`, `%E1%BA%A1`, `\xe1`.
_ESCAPES = re.compile(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|(?:%[0-9A-F]{2}){2,}|&#\d{3,5};")
# Vietnamese fonts from before Unicode, read without the font: `lµ chóa tÓ`, `laø chuùa`. One such word is a name.
_OLD_FONT = re.compile(r"[^\W\d_]*(?:(?<=[^\W\d_])[µ¸¶®§¨©ª«¬¹»¼½¾]|[øåñïöëæßþðØÅÑÏÖËÆÞÐ])[^\W\d_]*")
# A question mark after a word, in the middle of a sentence: three of them are letters that were lost.
_QUESTIONED = re.compile(r"\w*\?(?= [a-zà-ỹđ])|\w+\?\w+")
_MARKED = re.compile(r"(?<![\w/=?&])[^\W\d_]*(?:[^\W\d_]\?+[^\W\d_])(?:[^\W\d_]|\?(?=\w))*")
# `m_nh nh_t`: an underscore inside two words or more.
_LINED = re.compile(r"(?<![\w/@.])[^\W\d_]+_[^\W\d_]+(?![\w/@.])")
# A letter of Western Europe beside one of Vietnamese: half of a letter was read in another encoding (`Äẹp`).
_WESTERN, _OURS = re.compile("[äåæçëïñöøüÿß]", re.IGNORECASE), re.compile("[ăđơưạ-ỹ]", re.IGNORECASE)
# `khng`, `nhn`: the vowels were lost with their marks. A cry (`hmm`, `grr`) has its own consonants, and doubles them.
_NO_VOWEL = re.compile(r"(?i)(?!.*(.)\1)(?![hmr]+$)[bcdđghklmnpqrstvx]{3,}")
_VOWELS = re.compile("[aeiouyăâêôơưà-ỹ]", re.IGNORECASE)


@fault
def lost_letters(text: str, persona: Persona) -> Iterable[str]:
    """A word of the reply has a question mark or a box where a letter was."""
    yield from (m.group() for m in _BOXES.finditer(text))
    yield from (m.group() for m in _ESCAPES.finditer(text))
    yield from (m.group() for m in _APART.finditer(text))
    yield from (word for word in _WORD.findall(text) if _WESTERN.search(word) and _OURS.search(word))
    bare = [word for word in _WORD.findall(text) if _NO_VOWEL.fullmatch(word) and not is_chat_word(word.lower())]
    if len({word.lower() for word in bare}) > 2 and not text.isupper():
        yield from bare
    inside = [word for word in _WORD.findall(text) if _has_capital_inside(word)]
    odd = [*(m.group() for m in _OLD_FONT.finditer(text)), *inside]
    # A marked capital between small letters is in no word: `gÊu` is `gấu` in such a font.
    if (len(odd) > 1 or any(word[-1].islower() for word in inside)) and "vi" in persona.languages:
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
