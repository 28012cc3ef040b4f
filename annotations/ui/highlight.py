"""A turn's text with the words marked that caused a flag or answer the search. Escaped; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from markupsafe import Markup

from annotations.flag_marks import Place, marks
from annotations.flag_words import twin
from annotations.search_text import BadPattern, Query, parse, places
from curation.codes import Language, explain_flag, findings
from curation.persona import Persona
from curation.record import Flag, Message

STYLE = """<style>
mark.flag { background: rgba(224, 160, 30, .32); color: inherit; border-radius: .2rem;
  text-decoration: underline wavy #b7791f 1px; text-underline-offset: .2em; }
mark.hit { background: rgba(70, 130, 220, .3); color: inherit; border-radius: .2rem; }
mark.flag.hit { background: linear-gradient(rgba(70, 130, 220, .3), rgba(224, 160, 30, .4)); }
</style>"""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to mark, why, and the words that explain it."""

    place: Place
    why: Literal["flag", "hit"]
    words: str = ""


def flag_marks(
    messages: Sequence[Message],
    flags: Iterable[Flag],
    persona: Persona,
    language: Language,
    twins: Mapping[str, Sequence[Message]] | None = None,
) -> list[Mark]:
    """Return the marks of a sample's flags. ``twins`` are the turns of the samples that flags compare with, by id."""
    found: list[Mark] = []
    for flag in findings(flags):
        other = (twins or {}).get(twin(flag) or "")
        title = explain_flag(flag.code, language)
        found += [Mark(place, "flag", title) for place in marks(flag, messages, persona, other)]
    return found


def search_marks(messages: Sequence[Message], typed: str) -> list[Mark]:
    """Return the marks of what a search finds in the turns; none for a pattern that is not one."""
    try:
        query: Query = parse(typed)
    except BadPattern:
        return []  # the search field reports it
    return [
        Mark(Place(at, start, end), "hit")
        for at, message in enumerate(messages)
        for start, end in places(query, message.content)
    ]


def marked_name(name: str, typed: str) -> Markup:
    """Return a speaker's name with what a search finds in it marked."""
    return marked(name, [Mark(m.place, "hit") for m in search_marks([Message("user", name)], typed)])


def of_turn(found: Iterable[Mark], turn: int) -> list[Mark]:
    """Return the marks of one turn."""
    return [mark for mark in found if mark.place.turn == turn]


def marked(text: str, found: Sequence[Mark]) -> Markup:
    """Return a text with its marks as ``<mark>`` elements. Marks may overlap: each piece is in one element."""
    edges = sorted({0, len(text), *(min(e, len(text)) for m in found for e in (m.place.start, m.place.end))})
    pieces = []
    for start, end in pairwise(edges):
        over = [m for m in found if m.place.start <= start and end <= m.place.end]
        if not over:
            pieces.append(Markup("{}").format(text[start:end]))
            continue
        kinds = " ".join(dict.fromkeys(m.why for m in over))
        title = " · ".join(dict.fromkeys(m.words for m in over if m.words))
        shown = Markup(' title="{}"').format(title) if title else ""
        pieces.append(Markup('<mark class="{}"{}>{}</mark>').format(kinds, shown, text[start:end]))
    return Markup("").join(pieces)
