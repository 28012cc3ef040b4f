"""Persona checks: does a line sound like the character? ``curation/faults/`` looks for what is wrong with any text.

Cleaning, the review desk and the evaluation of a model's replies run the same checks. Pure. To add one, write a
function under ``@check`` and describe its name, which is the flag's code, in :mod:`curation.codes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from curation.persona import Persona
from curation.record import Flag, Sample

# (reply, persona) → what is wrong, as the review desk shows it; an empty text where nothing is.
Check: TypeAlias = Callable[[str, Persona], str]

_CHECKS: dict[str, Check] = {}

# What every example reply of `inosuke new` says, by language. The text itself is the mark: a row that its author has
# replaced does not hold it, and a model that was trained on examples says it aloud.
EXAMPLE_MARKS = {"en": "An example: write", "vi": "Ví dụ: hãy viết"}


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


@check
def example_row(text: str, persona: Persona) -> str:
    """The reply is still an example that `inosuke new` wrote."""
    return next((mark for mark in EXAMPLE_MARKS.values() if mark.casefold() in text.casefold()), "")


def avoided(text: str, persona: Persona) -> list[tuple[int, int]]:
    """Return where a reply uses words of ``persona.style.avoid`` as speech of its own, as (start, end).

    What stands in quotation marks is someone else's speech, and a word can be named without being said (`chữ dạ`).
    `dạ`, `thưa` and `ạ` count where they address someone: the same syllables are in other words (`gan dạ`).
    """
    avoid = persona.style.avoid
    if not avoid:
        return []
    own = own_speech(text)
    return [m.span() for m in _words(avoid).finditer(own) if _is_said(own, m)]


class Heard(NamedTuple):
    """How far the beginning of a reply is safe. ``wrong`` is where a word begins that the character avoids, or None.

    Whatever follows the first ``safe`` characters, none of them becomes part of such a word.
    """

    safe: int
    wrong: int | None


def listen(text: str, persona: Persona, start: int = 0) -> Heard:
    """Look for avoided words in a reply that goes on; what stands before ``start`` was safe before.

    Words are undecided where they may still become others (`tôi` → `tôi tớ`), be named (`dạ là gì?`) or turn out to
    stand in a quotation; in one that does not end soon they count as said.
    """
    avoid = persona.style.avoid
    if not avoid:
        return Heard(len(text), None)
    begun = _beginnings(avoid).search(text, start)
    safe = begun.start() if begun else len(text)
    found = list(_words(avoid).finditer(text, start))
    if not found:
        return Heard(safe, None)
    own = _quotes_hidden(text[:-1]) + text[-1] if text[-1] in _APOSTROPHES else _quotes_hidden(text)
    line = text.rfind("\n") + 1
    opening = _OPENING.search(own, line)
    opened = opening.start() if opening else len(text)
    speaks = any(c.isalpha() for c in own[:opened])
    for match in found:
        at = match.start()
        hidden = own[at] != text[at]
        if hidden and speaks:
            continue
        undecided = _may_go_on(text[match.end() :])
        if not undecided and not _is_said(text if hidden else own, match):
            continue
        in_quotes = hidden or at > opened
        undecided = undecided or (in_quotes and len(text) - at <= _PATIENCE)
        safe = min(safe, at)
        if not undecided:
            return Heard(safe, at)
    return Heard(safe, None)


def own_speech(text: str) -> str:
    """Return a reply with its quotations replaced by spaces; one that is nothing but a quotation stays."""
    bare = _quotes_hidden(text)
    return bare if any(c.isalpha() for c in bare) else text


def _quotes_hidden(text: str) -> str:
    return _QUOTED.sub(lambda m: " " * len(m.group()), text)


def _is_said(own: str, match: re.Match[str]) -> bool:
    return _addresses(own, match) and not _is_named(own, match)


def _may_go_on(after: str) -> bool:
    """Return whether what follows a word may still become a phrase that decides about it."""
    rest = after.lstrip(" ,\t\n").casefold()
    return not rest or any(phrase.startswith(rest) for phrase in _DECIDING)


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
_PERSONS = (
    *("anh", "chị", "em", "cô", "chú", "bác", "ông", "bà", "thầy", "ngài", "sếp", "cậu", "cha", "mẹ", "sư phụ", "quý"),
    *("các", "đại", "bẩm", "cụ", "mọi", "bạn", "ngươi"),
)
_ANSWERS = ("vâng", "thưa", "ạ", "có", "không", "được", "rồi", "em", "con", "cháu", "tôi")
_NOT_ME = ("tớ", "đòi", "luyện", "thép", "rèn", "vôi")
_QUESTIONS = ("gì", "cái gì", "sao", "thế nào")
# What after a word decides whether it is said.
_DECIDING = (
    *_PERSONS, *_ANSWERS, *_NOT_ME, "mean what", "means what", "is what",
    *(f"{meaning}là {question}" for meaning in ("", "nghĩa ") for question in _QUESTIONS),
)  # fmt: skip
_PERSON = "|".join(_PERSONS)
_ASKED = re.compile(rf"[ ,]+(?:nghĩa )?là (?:{'|'.join(_QUESTIONS)})|[ ,]+(?:means?|is) what", re.IGNORECASE)
# Where polite words are polite: `Dạ, …` and `dạ vâng`, `thưa thầy`, `… ạ!`. Elsewhere they belong to other words.
_POLITE = {
    "dạ": re.compile(rf"{_START}dạ(?=\s*[,.!?…]|\s+(?:{'|'.join(_ANSWERS)}|{_PERSON})\b|\s*$)", re.I),
    "thưa": re.compile(rf"(?:{_START}|(?<=dạ )|(?<=xin )|(?<=vâng ))thưa(?=\s*,|\s+(?:{_PERSON})\b)", re.I),
    "ạ": re.compile(r"ạ(?=\s*(?:[.!?…,;~\"'”’)]|$))", re.I),
    # `bề tôi`, `tôi tớ` (servants) and `tôi luyện` (to temper) hold no "I".
    "tôi": re.compile(rf"(?<!bề )(?<!vua )tôi(?! (?:{'|'.join(_NOT_ME)}))", re.I),
}
# Quotations that are not closed yet; an apostrophe may open one, or close one unless a letter follows.
_OPENING = re.compile(r"[“„\"«「『]|(?<!\w)['‘]")
_APOSTROPHES = "'’"
# Characters for which a quotation may stay open before its words count as the character's own.
_PATIENCE = 120


@lru_cache
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    """Whole words only: `dạ` must not find `dạy`."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)


@lru_cache
def _beginnings(words: tuple[str, ...]) -> re.Pattern[str]:
    """The end of a text where a word may be beginning."""
    parts = sorted({word[:n] for word in words for n in range(1, len(word))}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, parts)) or '(?!)'})\Z", re.IGNORECASE)
