"""Vietnamese of which one part was typed without its marks: ``Co, nhung ta chang quan tam den tóc đẹp``. Pure.

A line without any marks is judged word by word in :mod:`curation.cleaning.latin_letters`. Here half of a line has them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from curation.cleaning.vietnamese_fonts import is_syllable
from curation.cleaning.word_lists import frequency, without_marks, words_of_list

_WORD = re.compile(r"[^\W\d_]+")
_SENTENCE = re.compile(r"[^.!?…\n]+")
_RUN, _MARKED = 5, 2  # words in a row without a mark, in a text with so many that have theirs
_RARER = 30.0  # how much rarer a word is without its marks; half of a run must be such words (`vo ve` is right)
_UNKNOWN = 2e-7


def part_without_marks(text: str) -> str:
    """Return the first run of words that lost their marks, or an empty text."""
    if text.isascii() or sum(not w.isascii() and is_syllable(w.lower()) for w in _WORD.findall(text)) < _MARKED:
        return ""
    return next(filter(None, map(_in_sentence, _SENTENCE.findall(text))), "")


def _in_sentence(text: str) -> str:
    run: list[str] = []
    for word in [*_WORD.findall(text), ""]:
        if word.isascii() and (is_syllable(small := word.lower()) or small in _with_marks()):
            run.append(word)
            continue
        if len(run) >= _RUN and 2 * sum(lost_its_marks(w.lower()) for w in run) >= len(run):
            return " ".join(run)
        run = []
    return ""


@lru_cache(maxsize=20_000)
def lost_its_marks(word: str) -> bool:
    """Return whether a word in lower case without marks is nearly always written with them (``nhung``, ``duoc``)."""
    meant = _with_marks().get(word, 0.0)
    return meant > 1e-5 and meant >= _RARER * max(frequency("vi", word), _UNKNOWN)


@lru_cache(maxsize=1)
def _with_marks() -> Mapping[str, float]:
    """Return by a word without marks how often the commonest word with marks occurs that it may stand for."""
    found: dict[str, float] = {}
    for word, share in words_of_list("vi").items():
        bare = without_marks(word)
        if bare != word and is_syllable(word) and share > found.get(bare, 0.0):
            found[bare] = share
    return found
