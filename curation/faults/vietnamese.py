"""Which Vietnamese syllables are in use. Pure.

Comes in: words in lower case, as :mod:`curation.cleaning.spelling` writes them. Together wordfreq's list and
``vietnamese_syllables.txt`` hold every syllable of the first corpora but a few, which ``words.toml`` adds.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

from curation.cleaning.word_lists import UNMARKED, knows
from curation.faults.syllables import is_syllable
from curation.faults.words import WORDS

_HOOK, _TILDE = "\u0309", "\u0303"
_TELEX_TONES = {"s": "\u0301", "f": "\u0300", "r": _HOOK, "x": _TILDE, "j": "\u0323"}
_TELEX_LETTERS = (
    ("dd", "đ"), ("aa", "â"), ("ee", "ê"), ("oo", "ô"), ("uow", "ươ"), ("aw", "ă"), ("ow", "ơ"), ("uw", "ư"), ("w", "ư")
)  # fmt: skip
_MORE = frozenset(WORDS["syllable"]["more"])


def in_use(syllable: str) -> bool:
    """Return whether a list of Vietnamese holds a syllable; one without marks may have lost them (``nguoi``)."""
    return syllable in _rare() or syllable in _MORE or knows("vi", syllable) or knows(UNMARKED, syllable)


@lru_cache(maxsize=20_000)
def typed(word: str) -> str:
    """Return what Telex makes of a word whose marks were typed and not made: ``nuis`` and ``tuwf`` are núi and từ.

    The word itself comes back if it is a syllable in use, or if Telex makes none of it.
    """
    tone = _TELEX_TONES.get(word[-1:], "")
    bare = word[:-1] if tone else word
    for keys, letter in _TELEX_LETTERS:
        bare = bare.replace(keys, letter)
    vowels = [at for at, c in enumerate(bare) if c in "aăâeêioôơuưy"]
    if (is_syllable(word) and in_use(word)) or not vowels or (bare == word and not tone):
        return word
    for at in vowels:
        made = unicodedata.normalize("NFC", f"{bare[: at + 1]}{tone}{bare[at + 1 :]}")
        if is_syllable(made) and in_use(made):
            return made
    return word


@lru_cache(maxsize=1)
def _rare() -> frozenset[str]:
    text = Path(__file__).with_name("vietnamese_syllables.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())
