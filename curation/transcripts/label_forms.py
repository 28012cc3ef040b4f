"""Names before a line without a colon or brackets, where a file of subtitles writes them so throughout. Pure.

`Tanjiro - We go.`, `Tanjiro | We go.`, `Tanjiro → We go.`, `Tanjiro “We go.”`, or the name alone above its line. In:
cleaned lines. Out: the forms that the file uses, with the names in each (:func:`forms_of`). Prose holds each of them by
chance, so a form counts only with several names, on many lines, before words that begin like a sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from curation.transcripts.label_words import DASH, is_name, may_be_bracketed

_MANNER = r"(?:\s*[(\[（][^()\[\]（）\n]{1,30}[)\]）])?"
_STOPS = r"\-–—―|｜>＞→»=<\[\](（）)「『“”\"«:：,!?…。、！？"
_NAME = rf"(?P<name>[^\s.{_STOPS}][^\n{_STOPS}]{{0,39}}?{_MANNER})"
# Separator by separator, with how it is written before the words.
_FORMS = {
    "dash": r"(?:\s+(?:[-‐‑–—―]|--)\s+|\s*[–—―]\s*)",
    "pipe": r"\s*[|｜]\s*",
    "arrow": r"\s*(?:→|⇒|➜|[-=]>|»)\s*",
    "greater": r"\s*(?:>{1,2}|＞)\s*",
    "quotes": r"\s*(?=[“\"«„][^“”\"«»„\n]*[”\"»“]$)",
}
_ANY = re.compile(rf"^{_NAME}(?:{'|'.join(f'(?P<{code}>{text})' for code, text in _FORMS.items())})(?P<rest>\S.*)$")
# Most lines of most files have none of these.
_MAY = re.compile(r"[|｜＞→⇒➜»>–—―“„\"«]| --? ")
_ENDS = ".!?…。！？"
# On fewer lines than one in this many, a form is chance.
_SHARE = 3
# With a label on this share of its lines, a name that comes once is a name, too.
_NEARLY_ALL = 0.9
_ALONE = "alone"


class Form(NamedTuple):
    """A way to write a name before a line: with its names, at the start of a line and after the end of a sentence."""

    opening: re.Pattern[str]
    inside: re.Pattern[str]


@dataclass(slots=True)
class Hits:
    """The lines of a file that may open with a name, by form: its names, and how many of the words begin small."""

    names: dict[str, Counter[str]] = field(default_factory=dict)
    small: Counter[str] = field(default_factory=Counter)
    lines: int = 0

    def look(self, text: str) -> None:
        """Look at one line of the file, with its line breaks."""
        self.lines += 1
        if "\n" in text:
            first, _, below = text.partition("\n")
            if len(first) <= 30 and (first[-1:].isalnum() or first[-1:] in ")]）") and may_be_bracketed(first):
                self._count(_ALONE, first, below)
        if _MAY.search(text) is None:
            return
        for line in text.split("\n"):
            found = _ANY.match(DASH.sub("", line, count=1))
            if found and is_name(found["name"]) and may_be_bracketed(found["name"]):
                self._count(next(code for code in _FORMS if found[code] is not None), found["name"], found["rest"])

    def _count(self, code: str, name: str, words: str) -> None:
        self.names.setdefault(code, Counter())[name] += 1
        self.small[code] += words[:1].islower()


@dataclass(slots=True)
class Forms:
    """The forms that a file uses. ``alone``: the names, case folded, that it writes alone above their lines."""

    written: list[Form] = field(default_factory=list)
    alone: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


def forms_of(hits: Hits, knows: Callable[[str], bool]) -> Forms:
    """Return the forms that a file uses. ``knows``: whether a name is known without them."""
    used = Forms()
    for code, names in hits.names.items():
        counted = names_that_count(names, hits.small[code], hits.lines, knows)
        used.names |= {name.casefold() for name in counted}
        if code == _ALONE:
            used.alone |= {name.casefold() for name in counted}
        elif counted:
            used.written.append(_form(code, counted))
    return used


def names_that_count(names: Counter[str], small: int, lines: int, knows: Callable[[str], bool]) -> list[str]:
    """Return the names of a form that are speakers, none where the file does not use the form."""
    total = names.total()
    known = [name for name in names if knows(name)]
    often = [name for name, times in names.items() if times > 1]
    # One name that recurs is a heading; one that is known may be called: `Inosuke - come here!`.
    throughout = total >= _NEARLY_ALL * lines
    # One name that recurs is a heading; one that is known may be called: `Inosuke - come here!`.
    recur = bool(often) and (bool(known) or len(often) > 1) and _SHARE * total >= lines and 2 * small <= total
    if len(names) < 2 or not (recur or (known and throughout and not small)):
        return []
    return list(names) if throughout else list(dict.fromkeys([*known, *often]))


def _form(code: str, names: Iterable[str]) -> Form:
    written = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    label = rf"(?P<name>{written}){_FORMS[code]}"
    return Form(
        re.compile(rf"^{label}(?P<rest>\S.*)$", re.IGNORECASE),
        re.compile(rf"(?<=[{_ENDS}\"”»])\s+(?={label}\S)", re.IGNORECASE),
    )
