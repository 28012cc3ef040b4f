"""One spelling for the same words: tone marks, look-alike letters, wide letters, quotes and ellipses. Pure.

The forms are those that most lines of the first corpora have:

- the tone mark on the first vowel of an open `oa`, `oe`, `uy`: `hòa`, `khỏe`, `thủy`; `quý`, `giá` and `hoàn` stay;
- letters of one script in a word: a Cyrillic `о` in a Latin word becomes `o`, an Icelandic `Ð` in a Vietnamese one `Đ`;
- `ABC` for `ＡＢＣ` and `𝐀𝐁𝐂`; wide signs too, but not among Chinese, Japanese or Korean letters, where they belong;
- `'` and `"` for curly quotes and apostrophes, `…` for three dots or more, but not among such letters.

Texts come in NFC, as :func:`curation.cleaning.normalise.clean_text` returns them. Respelling twice is respelling once.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from curation.cleaning.vietnamese_fonts import is_syllable

_MARKS = "\u0300-\u036f"
# A Vietnamese syllable that ends in one of the three. After `q` the `u` is no vowel; `Noé` is a name.
_OPEN_SYLLABLE = re.compile(
    r"(?:ch|gh|gi|kh|ng|nh|ph|th|tr|[bcdđghklmnprstvx])?"
    r"(?:o[àáảãạèéẻẽẹ]|u[ỳýỷỹỵ])",
    re.IGNORECASE,
)
_NAMES = frozenset({"noé"})

_LATIN = re.compile("[A-Za-z\u00aa-\u024f\u1e00-\u1eff]")
_WORD = re.compile(rf"[^\W\d_](?:[^\W\d_]|[{_MARKS}])*")
# Cyrillic, Greek, Armenian and phonetic letters that look like Latin ones (Unicode's confusables.txt).
_ALIKE = str.maketrans(
    "аеорсухіјѕһԁԛԝАВЕКМНОРСТУХІЈЅԌοΑΒΕΖΗΙΚΜΝΟΡΤΥΧօսհɑɡ",
    "aeopcyxijshdqwABEKMHOPCTYXIJSGoABEZHIKMNOPTYXouhag",
)
_OTHER_SCRIPT = re.compile("[\u0370-\u058f\u1f00-\u1fffɑɡ]")
_ETH = str.maketrans("ÐƉðɖ", "ĐĐđđ")
_ETHS = re.compile("[ÐƉðɖ]")

_EAST_ASIAN = re.compile(
    "[\u1100-\u11ff\u3040-\u318f\u31a0-\u31ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
_WIDE_LETTERS = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\U0001d400-\U0001d7ff]+")
_WIDE = re.compile("[\uff01-\uff5e\U0001d400-\U0001d7ff]+")
_SINGLE, _DOUBLE = re.compile("[‘’‛ʼ]"), re.compile("[“”„‟]")
_ELLIPSIS = re.compile(r"(?:\.(?: ?\.){2,}|…)[.…]*")

# A text without any of these is spelled as it should be.
_ANY = re.compile(
    "[\u0370-\u058f\u1f00-\u1fffɑɡÐƉðɖ\uff01-\uff5e\U0001d400-\U0001d7ff‘’‛ʼ“”„‟…]|\\. ?\\. ?\\.|"
    "o[àáảãạèéẻẽẹ]|u[ỳýỷỹỵ]",
    re.IGNORECASE,
)


def respell(text: str) -> tuple[str, Counter[str]]:
    """Return a text in one spelling, and what was changed: ``doạ → dọa``, with how often."""
    changes: Counter[str] = Counter()
    if not _ANY.search(text):
        return text, changes
    lines = [_line(line, changes) for line in text.split("\n")]
    return "\n".join(lines), changes


def _line(line: str, changes: Counter[str]) -> str:
    def put(pattern: re.Pattern[str], text: str, new: str | None = None) -> str:
        def one(match: re.Match[str]) -> str:
            after = unicodedata.normalize("NFKC", match.group()) if new is None else new
            if after != match.group():
                changes[f"{match.group()} → {after}"] += 1
            return after

        return pattern.sub(one, text)

    eastern = _EAST_ASIAN.search(line) is not None
    line = unicodedata.normalize("NFC", put(_WIDE_LETTERS if eastern else _WIDE, line))
    line = _words(line, changes)
    if eastern:
        return line
    return put(_ELLIPSIS, put(_DOUBLE, put(_SINGLE, line, "'"), '"'), "…")


def _words(line: str, changes: Counter[str]) -> str:
    # Where other letters of those scripts stand, a word of look-alikes is a word of theirs.
    strange = [c for c in _OTHER_SCRIPT.findall(unicodedata.normalize("NFD", line)) if ord(c) not in _ALIKE]
    whole = not strange and _LATIN.search(line) is not None

    def one(match: re.Match[str]) -> str:
        word = match.group()
        after = _tone_on_first_vowel(_vietnamese_d(_in_latin(word, whole)))
        if after != word:
            changes[f"{word} → {after}"] += 1
        return after

    return _WORD.sub(one, line)


def _in_latin(word: str, whole: bool) -> str:
    """Return a word with Latin letters for those that look like them, where it is a Latin word."""
    if not _OTHER_SCRIPT.search(word) or not (whole or _LATIN.search(word)):
        return word
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFD", word).translate(_ALIKE))
    return word if _OTHER_SCRIPT.search(plain) else plain


def _vietnamese_d(word: str) -> str:
    if not _ETHS.search(word):
        return word
    meant = word.translate(_ETH)
    return meant if is_syllable(meant) else word


@lru_cache(maxsize=4096)
def _tone_on_first_vowel(word: str) -> str:
    if not _OPEN_SYLLABLE.fullmatch(word) or word.lower() in _NAMES:
        return word
    first, last = word[-2], unicodedata.normalize("NFD", word[-1])
    return word[:-2] + unicodedata.normalize("NFC", first + last[1:]) + last[0]
