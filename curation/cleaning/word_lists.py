"""How often the words of a text occur in each language. The lists are wordfreq's (Speer 2022, CC BY-SA 4.0).

Beside the languages stand two ways to write one: :data:`UNMARKED`, Vietnamese typed without its marks, and
:data:`ROMAJI`, Japanese in Latin letters. Both are made from the lists: the marks left out, the kana spelled out.

Comes in: words in lower case. Goes out: natural logarithms of probabilities, so that they add up over words.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from curation.cleaning.scripts import scripts_of
from curation.cleaning.vietnamese_fonts import is_syllable

UNMARKED = "vi-unmarked"
ROMAJI = "ja-Latn"

# wordfreq names Filipino and Norwegian by other codes than ISO 639-1 does.
_ISO = {"fil": "tl", "nb": "no", "sh": "hr"}
_LISTS = {iso: code for code, iso in _ISO.items()}
# A word that a list does not hold. The rarest words that it holds have 1e-6.
_UNKNOWN = math.log(2e-7)
# What a word that is spelled as no word of the language can be costs beyond that, and what the opposite gains.
_IMPOSSIBLE = -3.0
_POSSIBLE = 3.0
# By so much must a less spoken language of a script fit better.
_CLEARLY = 4.0

_MARKS = re.compile("[\u0300-\u036f]")
_MORA = re.compile(
    r"(?!n[^aeiouyn])(?:(?:[kstnhmrgzdbp]|[kgnhmrbp]y|sh|ch|j|ts|f|w|y|tch|kk|ss|tt|pp|ssh|kky|ppy)?(?:[aeiou]|[aeou][hou]|ii|aa)|n(?![aeiouy])|m(?=[bp]))+"
)
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fc]+")
# Particles are not pronounced as their kana are spelled.
_PARTICLES = {"wa": "ha", "e": "he", "o": "wo"}


@lru_cache
def latin_languages() -> tuple[str, ...]:
    """Return the languages in Latin letters for which there is a list (ISO 639-1)."""
    from wordfreq import available_languages

    codes = (_ISO.get(code, code) for code in available_languages("small"))
    return tuple(sorted(code for code in codes if scripts_of(code) == {"Latn"}))


def word_evidence(words: Iterable[str], language: str) -> float:
    """Return the log-probability of distinct words in a language: the sum over words of what each is worth there."""
    return sum(_worth(word, language) for word in words)


def knows(language: str, word: str) -> bool:
    """Return whether the list of a language holds a word. A language without a list knows none."""
    return word in _list(language)


def frequency(language: str, word: str) -> float:
    """Return a word's share of all words of a language, 0.0 to 1.0; 0.0 for one that its list does not hold."""
    return _list(language).get(word, 0.0)


def words_of_list(language: str) -> Mapping[str, float]:
    """Return the words of a language's list, each with its share of all words."""
    return _list(language)


def likeliest(text: str, language: str) -> str:
    """Return which language of this one's script the words of a text fit best: this one unless another does clearly."""
    from wordfreq import available_languages

    words = set(re.findall(r"[^\W\d_]+", text.lower()))
    codes = [_ISO.get(code, code) for code in available_languages("small")]
    alike = [code for code in codes if scripts_of(code) == scripts_of(language)]
    if alike in ([], [language]):
        return language
    best = max([language, *sorted(alike)], key=lambda code: word_evidence(words, code))
    return best if word_evidence(words, best) - word_evidence(words, language) > _CLEARLY else language


def share_known(words: Collection[str], language: str) -> float:
    """Return which share of the words the list of a language holds, 0.0 to 1.0."""
    return sum(knows(language, word) for word in words) / len(words) if words else 0.0


def without_marks(word: str) -> str:
    """Return a word as it is typed without marks: ``người`` becomes ``nguoi``."""
    letters = unicodedata.normalize("NFD", word.replace("đ", "d").replace("Đ", "D"))
    return unicodedata.normalize("NFC", _MARKS.sub("", letters))


def has_marks(word: str) -> bool:
    """Return whether a word has one of the marks that Vietnamese is written with."""
    return not word.isascii() and without_marks(word) != word


def may_be_romaji(word: str) -> bool:
    """Return whether a word in lower case is built of Japanese syllables."""
    return _MORA.fullmatch(word) is not None


@lru_cache(maxsize=65_536)
def _worth(word: str, language: str) -> float:
    found = _list(language).get(word)
    if found is not None:
        return math.log(found)
    if language == ROMAJI:
        return _UNKNOWN + (_POSSIBLE / 2 if may_be_romaji(word) else 2 * _IMPOSSIBLE)
    if word.isascii():
        return _UNKNOWN + (_IMPOSSIBLE if language == UNMARKED and not is_syllable(word) else 0.0)
    if language == "vi":
        return _UNKNOWN + (_POSSIBLE if is_syllable(word) else _IMPOSSIBLE)
    return _UNKNOWN + (_IMPOSSIBLE if language in ("en", UNMARKED) else 0.0)


@lru_cache
def _list(language: str) -> Mapping[str, float]:
    from wordfreq import available_languages, get_frequency_dict

    if language == UNMARKED:
        return _added_up((without_marks(word), f) for word, f in _list("vi").items() if word.isalpha())
    if language == ROMAJI:
        return _romaji(get_frequency_dict("ja", "small"))
    code = _LISTS.get(language, language)
    found: Mapping[str, float] = get_frequency_dict(code, "small") if code in available_languages("small") else {}
    return found


def _romaji(japanese: Mapping[str, float]) -> Mapping[str, float]:
    import jaconv

    spelled = _added_up(
        (jaconv.kana2alphabet(jaconv.kata2hira(word)), f) for word, f in japanese.items() if _KANA.fullmatch(word)
    )
    return spelled | {said: spelled[written] for said, written in _PARTICLES.items()}


def _added_up(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for word, frequency in pairs:
        sums[word] = sums.get(word, 0.0) + frequency
    return sums
