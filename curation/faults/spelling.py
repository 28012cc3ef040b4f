"""Typing errors in Vietnamese words and phrases, and profanity. What may be right is not flagged."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from curation.cleaning.word_lists import frequency, knows, latin_languages, may_be_romaji
from curation.faults import vietnamese
from curation.faults.registry import fault
from curation.faults.syllables import is_foreign, is_syllable
from curation.faults.words import WORDS, whole
from curation.persona import Persona

# A name that is mangled with hyphens (`Íc-xì`) is no slip.
_WORD = re.compile(r"(?<![\w-])[^\W\d_]+(?![\w-])")
# A cry is written as it sounds: `hừừ`, `grừ`, `brừm`.
_SOUND = re.compile(r"(\w)\1|^[bgkp]r", re.IGNORECASE)
_BORROWED = frozenset(WORDS["spelling"]["borrowed"])
_LEAST_LETTERS = 3
_SCRAMBLED, _COMMON = 6, 5e-6  # letters of an English word, and the share of the one that was meant
# The last letter typed twice, where a cry would not: `cayy`, `khongg`.
_TAIL = re.compile(r"([bcdgklmnpstvxy])\1$")
# `dd` and `uw` are how Telex types đ and ư; Vietnamese and English words have neither (but `ddos`, `uwu`).
_TELEX = re.compile(r"(?<!\w)(?!ddos|uwu)(?:dd[a-z]{1,6}|[a-z]{0,4}uw[a-z]{1,5})(?!\w)", re.IGNORECASE)
_GLUED = re.compile(r"[^\W\d_]{2,}[.!?,;][^\W\d_]{2,}")
_LOANS = frozenset(WORDS["syllable"]["loans"])
_PHRASES = whole(*WORDS["spelling"]["phrases"])
_ENGLISH = whole(*WORDS["spelling"]["english"])
_TWICE = re.compile(rf"(?<!\w)({'|'.join(WORDS['spelling']['doubled'])}) \1(?!\w)", re.IGNORECASE)
# A consonant that is typed twice by mistake; in a cry it is a vowel, m, n, h, g or r.
_DOUBLED = re.compile(r"([bcdđklpqstvx])\1(?!\1)", re.IGNORECASE)


@fault
def typing_error(text: str, persona: Persona) -> Iterable[str]:
    """A word cannot be Vietnamese, two words do not go together, or a space is missing after a mark."""
    words = _WORD.findall(text)
    marked = [w for w in words if not w.isascii()]
    sound = [w for w in marked if is_syllable(w)]
    if "vi" in persona.languages and len(sound) >= 2 and 2 * sum(map(is_syllable, words)) >= len(words):
        wrong = set(marked) - set(sound)
        yield from (w for w in words if w in wrong and _is_slip(w))
        yield from (m.group() for m in _TELEX.finditer(text))
        yield from (m.group() for m in _PHRASES.finditer(text))
        # Several of them are speech that is mangled on purpose (`nấu lước ná`).
        strange = {w for w in words if w.islower() and w not in wrong and _is_no_word(w, text)}
        yield from strange if len(strange) == 1 else ()
    elif "en" in persona.languages:
        yield from (w for w in words if w.islower() and _is_scrambled(w))
    for pattern in (_ENGLISH, _TWICE):
        yield from (m.group() for m in pattern.finditer(text))
    yield from (m.group() for m in _GLUED.finditer(text) if _lacks_a_space(m.group()))


@fault
def profanity(text: str, persona: Persona) -> Iterable[str]:
    """The reply has a word of the persona's list of profanity, or of the usual one."""
    listed = WORDS["spelling"]["profanity"] if persona.style.profanity is None else persona.style.profanity
    return (m.group() for m in whole(*listed).finditer(text)) if listed else ()


def _is_no_word(word: str, text: str) -> bool:
    """Return whether a word in small letters is in no list: a syllable that no one uses, or letters in a wrong order.

    A cry is spelt as it sounds, a word that is also written with a capital may be a name, and a word of another
    language is in its list.
    """
    if len(word) < _LEAST_LETTERS or _SOUND.search(_bare(word)) or is_foreign(word) or f" {word.title()}" in text:
        return bool(len(word) > _LEAST_LETTERS and _TAIL.search(word) and is_syllable(word[:-1]))
    if vietnamese.typed(word) != word and vietnamese.in_use(vietnamese.typed(word)) and not knows("en", word):
        return True
    if is_syllable(word):
        return not vietnamese.in_use(word) and not knows("en", word) and not _is_echo(word, text)
    known = word in _LOANS or any(knows(code, word) for code in latin_languages())
    return word.isascii() and not known and not may_be_romaji(word)


def _is_scrambled(word: str) -> bool:
    """Return whether an English word has two letters in the wrong order, or one twice: ``moutnain``, ``bigg``."""
    if len(word) < _SCRAMBLED or not word.isascii() or any(knows(code, word) for code in latin_languages()):
        return False
    swapped = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(1, len(word) - 1))
    single = (word[:i] + word[i + 1 :] for i in range(len(word) - 1) if word[i] == word[i + 1])
    return any(frequency("en", meant) >= _COMMON for meant in (*swapped, *single) if meant != word)


def _is_echo(word: str, text: str) -> bool:
    """Return whether a word is the second half of a sound: the same beginning or the same rime as its neighbour."""
    return bool(re.search(rf"(?<!\w)({re.escape(word[0])}\w+ {word}|{word} {re.escape(word[0])}\w+)(?!\w)", text))


def _lacks_a_space(words: str) -> bool:
    """Return whether a mark stands between a sentence and the next one: `rồi.Ngươi`, not `www.rung.vn` or `Ph.D`."""
    end, begin = re.split(r"[.!?,;]", words)
    return end[-1].islower() and begin[0].isupper() and begin[1:].islower()


def _is_slip(word: str) -> bool:
    """Return whether a word that is not Vietnamese was meant to be: not a name, a cry or a word of another language."""
    if is_foreign(word) or word.casefold() in _BORROWED:
        return False
    return not _SOUND.search(_bare(word)) or is_syllable(_DOUBLED.sub(r"\1", word))


def _bare(word: str) -> str:
    """Return a word with each letter without its marks, so that `Áá` shows the same letter twice."""
    return "".join(c for c in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(c))
