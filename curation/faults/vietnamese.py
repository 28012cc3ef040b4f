"""Which Vietnamese syllables are in use, and which stand side by side in words. Pure.

Comes in: words in lower case, as :mod:`curation.cleaning.spelling` writes them. The lists are wordfreq's and that of
``vietnamese_words.txt``; together they hold every syllable of the first corpora but a few, which ``words.toml`` adds.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from curation.cleaning.word_lists import UNMARKED, frequency, knows
from curation.faults.syllables import is_syllable
from curation.faults.words import WORDS

_HOOK, _TILDE = "\u0309", "\u0303"
# Beginnings that sound alike in one region or another. Pairs that are confused less often (l and n, d and r, d and v)
# found more sound words than errors.
_ALIKE = (("s", "x"), ("ch", "tr"), ("d", "gi"))
_TELEX_TONES = {"s": "\u0301", "f": "\u0300", "r": _HOOK, "x": _TILDE, "j": "\u0323"}
_TELEX_LETTERS = (
    ("dd", "đ"), ("aa", "â"), ("ee", "ê"), ("oo", "ô"), ("uow", "ươ"), ("aw", "ă"), ("ow", "ơ"), ("uw", "ư"), ("w", "ư")
)  # fmt: skip
# Words that stand beside any other, so that two of them say nothing.
_FREE = frozenset(WORDS["spelling"]["free"])
_SOUND = frozenset(WORDS["spelling"]["sound"])
_MORE = frozenset(WORDS["syllable"]["more"])
# A word that is so many times as frequent as the one it is taken for was meant.
_MEANT = 3.0


def in_use(syllable: str) -> bool:
    """Return whether a list of Vietnamese holds a syllable; one without marks may have lost them (``nguoi``)."""
    return syllable in _words()[1] or syllable in _MORE or knows("vi", syllable) or knows(UNMARKED, syllable)


def confused(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield two words that are one in a wrong spelling, and the right one: ``xử dụng``, ``sử dụng``.

    ``words`` stand side by side in a text, nothing but spaces between them. Two that are part of a word with what is
    before or behind them are left alone (``cũng cố gắng``).
    """
    pairs = _words()[0]
    for at, (one, two) in enumerate(pairwise(words)):
        if one in _FREE or two in _FREE or f"{one} {two}" in _SOUND or two in pairs.get(one, ()):
            continue
        before = at > 0 and one in pairs.get(words[at - 1], ())
        behind = at + 2 < len(words) and words[at + 2] in pairs.get(two, ())
        if before or behind:
            continue
        meant = next((v for v in _variants(one) if two in pairs.get(v, ()) and _likely(v, one)), None)
        if meant is not None:
            yield f"{one} {two}", f"{meant} {two}"
            continue
        meant = next((v for v in _variants(two) if v in pairs.get(one, ()) and _likely(v, two)), None)
        if meant is not None:
            yield f"{one} {two}", f"{one} {meant}"


@lru_cache(maxsize=20_000)
def typed(word: str) -> str:
    """Return what Telex makes of a word whose marks were typed and not made: ``nuis`` and ``tuwf`` are núi and từ.

    The word itself comes back if it is a syllable, or if Telex makes none of it.
    """
    tone = _TELEX_TONES.get(word[-1:], "")
    bare = word[:-1] if tone else word
    for keys, letter in _TELEX_LETTERS:
        bare = bare.replace(keys, letter)
    vowels = [at for at, c in enumerate(bare) if c in "aăâeêioôơuưy"]
    if is_syllable(word) or not vowels or (bare == word and not tone):
        return word
    for at in vowels:
        made = unicodedata.normalize("NFC", f"{bare[: at + 1]}{tone}{bare[at + 1 :]}")
        if is_syllable(made) and in_use(made):
            return made
    return word


def _likely(meant: str, written: str) -> bool:
    return meant not in _FREE and frequency("vi", meant) * _MEANT >= frequency("vi", written)


@lru_cache(maxsize=20_000)
def _variants(word: str) -> tuple[str, ...]:
    """Return the syllables that sound like a word where some of its letters are not told apart."""
    found = []
    for pair in _ALIKE:
        for written, meant in (pair, pair[::-1]):
            rest = word.removeprefix(written)
            # `sh` does not exist, but `ch` and `gi` begin with letters that are others alone.
            if rest != word and rest and not (written == "d" and rest[0] == "i"):
                found.append(f"{meant[:-1] if meant == 'gi' and rest[0] in 'iìíỉĩị' else meant}{rest}")
    spread = unicodedata.normalize("NFD", word)
    for written, meant in ((_HOOK, _TILDE), (_TILDE, _HOOK)):
        if written in spread:
            found.append(unicodedata.normalize("NFC", spread.replace(written, meant)))
    return tuple(one for one in dict.fromkeys(found) if one != word and is_syllable(one))


@lru_cache(maxsize=1)
def _words() -> tuple[Mapping[str, frozenset[str]], frozenset[str]]:
    """Return the second syllables that follow each first one, and all syllables."""
    pairs: dict[str, frozenset[str]] = {}
    syllables: set[str] = set()
    for line in Path(__file__).with_name("vietnamese_words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        first, _, others = line.rpartition(":")
        syllables.update(others.split(), first.split())
        if first:
            pairs[first] = frozenset(others.split())
    return pairs, frozenset(syllables)
