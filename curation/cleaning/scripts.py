"""Which script the letters of a text are written in, and how much of a text is in a foreign one. Pure.

Scripts are Unicode's, named by ISO 15924 (``Latn``, ``Hira``, ``Cyrl``); fontTools carries the table. Which language a
script usually stands for, and which scripts a language is written in, is CLDR's (langcodes).
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

# Latin letters, marks, digits and common signs: a text of these alone needs no look at each letter.
_COMMON = re.compile("[\u0000-\u036f\u1dc4-\u1dff\u1e00-\u1eff\u2000-\u2bff\ufb00-\ufb06\ufe0f\U0001f000-\U0001faff]*")
# CLDR names mixtures of scripts: Japanese is written in three, Korean in two.
_MIXTURES = {
    "Jpan": ("Hira", "Kana", "Hani"),
    "Kore": ("Hang", "Hani"),
    "Hans": ("Hani",),
    "Hant": ("Hani",),
    "Hanb": ("Hani", "Bopo"),
}
# Written without spaces between words: this many letters count as a word.
_WITHOUT_SPACES = frozenset({"Hira", "Kana", "Hani", "Bopo", "Thai", "Laoo", "Khmr", "Mymr", "Tibt", "Yiii"})
_LETTERS_A_WORD = 2


def foreign_letters(text: str) -> Counter[str]:
    """Return how many letters of each script other than Latin a text has; marks, digits and signs have none."""
    if _COMMON.fullmatch(text):
        return Counter()
    found = Counter(_script(c) for c in text if c > "\u024f" and c.isalpha())
    for script in ("Latn", "Zyyy", "Zinh", "Zzzz"):
        del found[script]
    return found


def foreign_words(text: str) -> Counter[str]:
    """Return how many words of each script other than Latin a text has, counted in halves where none are divided."""
    letters = foreign_letters(text)
    if not letters:
        return letters
    words: Counter[str] = Counter()
    for script, number in letters.items():
        if script in _WITHOUT_SPACES:
            words[script] = max(1, round(number / _LETTERS_A_WORD))
    for run in re.findall(r"[^\W\d_]+", text):
        words.update({_script(c) for c in run} & letters.keys() - _WITHOUT_SPACES)
    return words


def script_names(scripts: Counter[str]) -> str:
    """Return Unicode's names of scripts, the most frequent first: ``Hiragana, Han``."""
    from fontTools.unicodedata import script_name

    return ", ".join(str(script_name(code)).replace("_", " ") for code, _ in scripts.most_common())


@lru_cache
def scripts_of(language: str) -> frozenset[str]:
    """Return the scripts that a language (ISO 639-1) is usually written in."""
    from langcodes import Language

    script = Language.get(language).maximize().script or "Latn"
    return frozenset(_MIXTURES.get(script, (script,)))


def language_of_script(scripts: Counter[str], own: tuple[str, ...] = ()) -> str:
    """Return the language (ISO 639-1) that these scripts stand for.

    Kana make it Japanese, whatever Han letters are beside them. Where several languages share a script, one of ``own``
    (the languages that are expected) comes first, then the one that most of its readers speak.
    """
    from langcodes import Language

    if scripts.keys() & {"Hira", "Kana"}:
        return "ja"
    most = scripts.most_common(1)[0][0]
    if spoken := next((code for code in own if most in scripts_of(code)), None):
        return spoken
    return str(Language.get(f"und-{most}").maximize().language)


@lru_cache(maxsize=65_536)
def _script(letter: str) -> str:
    from fontTools import unicodedata

    return str(unicodedata.script(letter))
