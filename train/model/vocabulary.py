"""Cuts a model's vocabulary to the languages of a persona: which tokens stay, and the tokenizer and rows that are left.

A multilingual model has words for every language of the world. Each costs a row of the embeddings, and a logit at
every reply token, even where a persona speaks two languages. In: a ``tokenizer.json`` of the byte-fallback BPE kind
(Gemma's). Out: the ids that stay, in their old order, and the same tokenizer with these alone. Any text can still be
written: what has no token of its own is spelled in bytes.

Knows nothing of weights, files or downloads.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from curation.chat.language import without_marks
from curation.errors import InosukeError

# Merges are listed by how often they were seen, and tokens are numbered in that order, so a low id is a common token.
COMMON = 50_000
SPACE = "▁"

# The scripts of a language (ISO 639-1), as Unicode names them: "LATIN SMALL LETTER A" is of the script LATIN. A
# language that is missing here leaves the vocabulary whole.
SCRIPTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("ar", "fa", "ur"), ("ARABIC",)),
    **dict.fromkeys(("be", "bg", "kk", "mk", "mn", "ru", "sr", "uk"), ("CYRILLIC",)),
    **dict.fromkeys(("hi", "mr", "ne"), ("DEVANAGARI",)),
    "bn": ("BENGALI",),
    "el": ("GREEK",),
    "he": ("HEBREW",),
    "hy": ("ARMENIAN",),
    "ka": ("GEORGIAN",),
    "km": ("KHMER",),
    "ta": ("TAMIL",),
    "te": ("TELUGU",),
    "th": ("THAI",),
    "ja": ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK"),
    "ko": ("HANGUL",),
    "zh": ("CJK",),
    **dict.fromkeys(
        ("ca", "cs", "da", "de", "en", "es", "et", "eu", "fi", "fr", "gl", "hr", "hu", "id", "is", "it", "lt", "lv"),
        ("LATIN",),
    ),
    **dict.fromkeys(("ms", "nb", "nl", "no", "pl", "pt", "ro", "sk", "sl", "sv", "sw", "tl", "tr", "vi"), ("LATIN",)),
}

# The letters of a language that English does not have. A Latin token with one of them stays, however rare it is.
LETTERS: dict[str, str] = {
    "ca": "àçèéíïòóúü·", "cs": "áčďéěíňóřšťúůýž", "da": "æøå", "de": "äöüß", "es": "áéíñóúü", "et": "äõöüšž",
    "fi": "äöå", "fr": "àâæçèéêëîïôœùûüÿ", "hr": "čćđšž", "hu": "áéíóöőúüű", "is": "áðéíóúýþæö", "it": "àèéìòù",
    "lt": "ąčęėįšųūž", "lv": "āčēģīķļņšūž", "nb": "æøå", "no": "æøå", "pl": "ąćęłńóśźż", "pt": "àáâãçéêíóôõú",
    "ro": "ăâîșțşţ", "sk": "áäčďéíĺľňóôŕšťúýž", "sl": "čšž", "sv": "äöå", "tr": "çğıöşü",
    "vi": "ăđơưảạằẳẵắặầẩẫấậẻẽẹềểễếệỉĩịỏọồổỗốộờởỡớợủũụừửữứựỳỷỹỵ",
}  # fmt: skip

# A Vietnamese syllable without its marks. Many are spelled without any ("trong", "con") or with those of French and
# Spanish ("là"), and Vietnamese typed in a hurry has none at all ("nguoi").
_SYLLABLE = re.compile(
    r"(ngh?|nh|gh|gi|kh|ph|th|tr|ch|qu|[bcdghklmnprstvx])?"
    r"(a[iouy]?|e[ou]?|i(a|eu?|u)?|o(a[ioy]?|eo?|i|o)?|u(a[uy]?|e|i|o[iu]?|u|y(a|eu?|u)?)?|y(eu?)?)"
    r"(c|ch|m|n|ng|nh|p|t)?"
)
_VIETNAMESE = frozenset("abcdeghiklmnopqrstuvxyàáâãèéêìíòóôõùúý" + LETTERS["vi"])
_RESERVED = re.compile(r"<unused\d+>")
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


def kept_ids(tokenizer: Mapping[str, Any], languages: Sequence[str]) -> list[int]:
    """Return the ids of the tokens that stay, ascending; all ids where a language is not in :data:`SCRIPTS`.

    ``tokenizer`` is the content of a ``tokenizer.json``. Raises InosukeError for a tokenizer of another kind.
    """
    model = tokenizer["model"]
    if model.get("type") != "BPE" or not model.get("byte_fallback"):
        raise InosukeError(
            f"the vocabulary of a {model.get('type')} tokenizer without byte fallback cannot be cut: text outside the "
            "languages of the persona would be lost. Set `cut = false` for this base."
        )
    vocabulary: dict[str, int] = model["vocab"]
    if unknown := [language for language in languages if language not in SCRIPTS]:
        raise InosukeError(
            f"no script is known for the language {', '.join(unknown)}, so the vocabulary cannot be cut to it. "
            "Add it to SCRIPTS in train/model/vocabulary.py."
        )
    control = {token["content"] for token in tokenizer["added_tokens"]}
    stays = _Stays(languages)
    kept = {
        token
        for token, number in vocabulary.items()
        if (not _RESERVED.fullmatch(token) if token in control else stays(token, number))
    }
    _close(kept, model["merges"])
    return sorted(vocabulary[token] for token in kept)


def cut(tokenizer: Mapping[str, Any], kept: Sequence[int]) -> dict[str, Any]:
    """Return a ``tokenizer.json`` with the kept tokens alone, numbered in the order of ``kept``."""
    model = tokenizer["model"]
    new = {old: number for number, old in enumerate(kept)}
    vocabulary = {token: new[old] for token, old in model["vocab"].items() if old in new}
    merges = [pair for pair in model["merges"] if pair[0] in vocabulary and pair[1] in vocabulary]
    merges = [pair for pair in merges if pair[0] + pair[1] in vocabulary]
    added = [token | {"id": new[token["id"]]} for token in tokenizer["added_tokens"] if token["id"] in new]
    return {
        **tokenizer,
        "added_tokens": added,
        "post_processor": _renumber(tokenizer.get("post_processor"), new),
        "model": {**model, "vocab": vocabulary, "merges": merges},
    }


def _renumber(value: Any, new: Mapping[int, int]) -> Any:
    """Return a post-processor with its special tokens' ids renumbered, wherever it lists ``ids``."""
    if isinstance(value, dict):
        return {k: [new[i] for i in v] if k == "ids" else _renumber(v, new) for k, v in value.items()}
    return [_renumber(v, new) for v in value] if isinstance(value, list) else value


class _Stays:
    """Decides, for a token that is not a control token, whether the languages need it."""

    def __init__(self, languages: Sequence[str]) -> None:
        self.scripts = {script for language in languages for script in SCRIPTS[language]}
        self.letters = frozenset("".join(LETTERS.get(language, "") for language in languages))
        self.syllables = "vi" in languages

    def __call__(self, token: str, number: int) -> bool:
        text = token.replace(SPACE, "").lower()
        if _BYTE.fullmatch(token) or not text:
            return True  # the bytes that spell everything else, and runs of spaces
        scripts = {_script(c) for c in text} - {None}
        if not scripts:
            # Digits and punctuation, and symbols as far as they are common or stand for one thing (emoji).
            return number < COMMON or (len(text) == 1 and text.isprintable() and number < 5 * COMMON)
        if not scripts <= self.scripts | {"LATIN"}:
            return False
        if "LATIN" not in scripts or len(text) == 1:
            return True
        if number < COMMON or not self.letters.isdisjoint(text):
            return True
        return self.syllables and _VIETNAMESE.issuperset(text) and bool(_SYLLABLE.fullmatch(without_marks(text)))


@cache
def _script(character: str) -> str | None:
    """Return the script of a letter, or None for anything that is not a letter."""
    if not character.isalpha() and not unicodedata.category(character).startswith("M"):
        return None
    name = unicodedata.name(character, "").partition(" ")[0]
    # Combining marks belong to the letters before them, in any script.
    return None if name in ("COMBINING", "MODIFIER", "FULLWIDTH") else name or None


def _close(kept: set[str], merges: Iterable[Sequence[str]]) -> None:
    """Add the parts that kept tokens are merged from, and the parts of those, until nothing is missing.

    Of the ways to make a token the first two are kept: the merges are in the order in which BPE prefers them.
    """
    ways: dict[str, list[Sequence[str]]] = defaultdict(list)
    for pair in merges:
        ways[pair[0] + pair[1]].append(pair)
    fresh = set(kept)
    while fresh:
        fresh = {part for token in fresh for pair in ways[token][:2] for part in pair} - kept
        kept |= fresh
