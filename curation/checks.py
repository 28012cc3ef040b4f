"""Persona checks: does a line sound like the character? ``curation/faults/`` looks for what is wrong with any text.

Cleaning, the review desk and the evaluation of a model's replies run the same checks. Pure. To add one, write a
function under ``@check`` and describe its name, which is the flag's code, in :mod:`curation.codes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from curation.persona import Persona
from curation.record import Flag, Sample

# (reply, persona) → what is wrong, as the review desk shows it; an empty text where nothing is.
Check: TypeAlias = Callable[[str, Persona], str]

_CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """Register a check of one reply. The function's name is the code of its flag."""
    _CHECKS[function.__name__] = function
    return function


def check_sample(sample: Sample, persona: Persona) -> tuple[Flag, ...]:
    """Return the flags of all the character's turns, each code once."""
    found: dict[str, Flag] = {}
    for reply in sample.replies:
        for flag in check_reply(reply, persona):
            found.setdefault(flag.code, flag)
    return tuple(found.values())


def check_reply(text: str, persona: Persona) -> tuple[Flag, ...]:
    """Return a flag for each check that one reply fails, in the order of this file; none for what is switched off."""
    wanted = ((code, function) for code, function in _CHECKS.items() if code not in persona.checks.off)
    return tuple(Flag(code, detail) for code, function in wanted if (detail := function(text, persona)))


@check
def empty_reply(text: str, persona: Persona) -> str:
    """The reply has no words."""
    return "" if text.strip() else "the reply is empty"


@check
def out_of_character(text: str, persona: Persona) -> str:
    """The reply uses a word of ``persona.style.avoid`` in the character's own speech."""
    found = sorted({text[start:end].lower() for start, end in avoided(text, persona)})
    return f"{persona.name} would not say: {', '.join(found)}" if found else ""


@check
def over_length(text: str, persona: Persona) -> str:
    """The reply has more characters than ``persona.style.max_reply_chars``."""
    limit = persona.style.max_reply_chars
    return f"{len(text)} characters; {persona.name} says at most {limit} at once" if len(text) > limit else ""


@check
def label_in_reply(text: str, persona: Persona) -> str:
    """A line of the reply opens with a label that persona.toml knows."""
    names = (*persona.user_labels, persona.name, *persona.aliases)
    match = re.search(rf"^({'|'.join(map(re.escape, names))})\s*[:：]", text, re.MULTILINE | re.IGNORECASE)
    return f"the label `{match.group(1)}:` is inside the reply" if match else ""


def avoided(text: str, persona: Persona) -> list[tuple[int, int]]:
    """Return where a reply uses words of ``persona.style.avoid`` as speech of its own, as (start, end).

    What stands in quotation marks is someone else's speech, and a word can be named without being said (`chữ dạ`).
    `dạ`, `thưa` and `ạ` count where they address someone: the same syllables are in other words (`gan dạ`).
    """
    avoid = persona.style.avoid
    if not avoid:
        return []
    own = own_speech(text)
    return [m.span() for m in _words(avoid).finditer(own) if _addresses(own, m) and not _is_named(own, m)]


def own_speech(text: str) -> str:
    """Return a reply with its quotations replaced by spaces; one that is nothing but a quotation stays."""
    bare = _QUOTED.sub(lambda m: " " * len(m.group()), text)
    return bare if any(c.isalpha() for c in bare) else text


def _addresses(text: str, match: re.Match[str]) -> bool:
    """Return whether a word stands where it would be polite address, for the words that have other uses."""
    rule = _POLITE.get(match.group().casefold())
    return rule is None or rule.match(text, match.start()) is not None


def _is_named(text: str, match: re.Match[str]) -> bool:
    """Return whether a word is spoken of rather than said: `chữ dạ`, `Xin phép là gì?`."""
    return bool(_NAMED.search(text[: match.start()]) or _ASKED.match(text, match.end()))


# A quotation; inside English words `'` is an apostrophe.
_QUOTED = re.compile(
    r"[“„][^”\n]*”|\"[^\"\n]*\"|«[^»\n]*»|「[^」\n]*」|『[^』\n]*』|(?<!\w)['‘](?:[^'’\n]|(?<=\w)['’](?=\w))*['’](?!\w)"
)
# The word after one of these is named, not said.
_NAMED = re.compile(
    r"(?:^|\W)(?:chữ|từ|tiếng|câu|hai chữ|nói|kêu|bảo|gọi|đừng(?: có)?|cấm|khỏi|học|biết|the word|say(?:ing)?)[ :,]+$",
    re.IGNORECASE,
)
_START = r"(?:^|(?<=[.!?…,;:\n–—-])|(?<=[.!?…,;:\n–—-]\s))"
_PERSON = "anh|chị|em|cô|chú|bác|ông|bà|thầy|ngài|sếp|cậu|cha|mẹ|sư phụ|quý|các|đại|bẩm|cụ|mọi|bạn"
_ASKED = re.compile(r"[ ,]+(?:nghĩa )?là (?:gì|cái gì|sao|thế nào)|[ ,]+(?:means?|is) what", re.IGNORECASE)
# Where polite words are polite: `Dạ, …` and `dạ vâng`, `thưa thầy`, `… ạ!`. Elsewhere they belong to other words.
_POLITE = {
    "dạ": re.compile(
        rf"{_START}dạ(?=\s*[,.!?…]|\s+(?:vâng|thưa|ạ|có|không|được|rồi|em|con|cháu|tôi|{_PERSON})\b|\s*$)", re.I
    ),
    "thưa": re.compile(rf"(?:{_START}|(?<=dạ )|(?<=xin )|(?<=vâng ))thưa(?=\s*,|\s+(?:{_PERSON})\b)", re.I),
    "ạ": re.compile(r"ạ(?=\s*(?:[.!?…,;~\"'”’)]|$))", re.I),
    # `bề tôi`, `tôi tớ` (servants) and `tôi luyện` (to temper) hold no "I".
    "tôi": re.compile(r"(?<!bề )(?<!vua )tôi(?! (?:tớ|đòi|luyện|thép|rèn|vôi))", re.I),
}


@lru_cache
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    """Whole words only: `dạ` must not find `dạy`."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)
