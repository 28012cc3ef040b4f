"""Which words can be written Vietnamese syllables: a beginning, a rime and a tone that fit together. Pure.

Vietnamese spelling is regular, so a table of beginnings and rimes tells `được` from `đuợc` without a word list. It
accepts more than the 6,600 syllables in use: what it refuses is not Vietnamese.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from curation.faults.words import WORDS

TONES = "\u0300\u0301\u0303\u0309\u0323"  # grave, acute, tilde, hook, dot below
_SHARP = {"\u0301", "\u0323"}  # the tones that a syllable in c, ch, p or t can have
_BEGINNING = re.compile("ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdđghklmnprstvx]")
_BEFORE_E = frozenset("eêiy")
_RIMES = frozenset(WORDS["syllable"]["rimes"])
_AFTER_QU = frozenset(WORDS["syllable"]["after_qu"])
# A tone on the first letter of these pairs is a slip: `đựơc` for `được`.
_MISPLACED = re.compile("[ứừửữự]ơ|[íìỉĩịýỳỷỹỵ]ê|[úùủũụ]ô")
# The letters of the language; a word with another one (ō, ç, ü) is a foreign name.
_ALPHABET = re.compile("[a-zđăâêôơư]+")


@lru_cache(maxsize=50_000)
def is_syllable(word: str) -> bool:
    """Return whether a word in any case could be a Vietnamese syllable; one without marks counts as level."""
    letters, tones = _parts(word)
    if len(tones) > 1 or not _ALPHABET.fullmatch(letters):
        return False
    if _MISPLACED.search(unicodedata.normalize("NFC", word.lower())):
        return False
    match = _BEGINNING.match(letters)
    beginnings = {match.group(), match.group()[0], ""} if match else {""}
    return any(_fits(b, letters.removeprefix(b), tones) for b in beginnings)


def beginning(word: str) -> str:
    """Return the consonants that a syllable in lower case begins with: `ngh` of `nghe`; empty for a vowel."""
    match = _BEGINNING.match(word)
    return match.group() if match else ""


def is_foreign(word: str) -> bool:
    """Return whether a word has a letter that Vietnamese does not write (f, j, w and z, too)."""
    letters, _ = _parts(word)
    return not _ALPHABET.fullmatch(letters) or bool(re.search("[fjwz]", letters))


def _parts(word: str) -> tuple[str, list[str]]:
    """Return a word's letters in lower case without its tones, and the tones."""
    spread = unicodedata.normalize("NFD", word.lower())
    tones = [c for c in spread if c in TONES]
    return unicodedata.normalize("NFC", "".join(c for c in spread if c not in TONES)), tones


def _fits(beginning: str, rime: str, tones: list[str]) -> bool:
    if rime not in _RIMES and not (beginning == "qu" and rime in _AFTER_QU):
        return False
    front = rime[0] in _BEFORE_E
    if beginning in ("c", "ng", "g") and front and not (beginning == "g" and rime[0] == "i"):
        return False
    if beginning in ("k", "gh", "ngh") and not front:
        return False
    if beginning == "q":
        return False
    return not rime.endswith(("c", "ch", "p", "t")) or (bool(tones) and set(tones) <= _SHARP)
