"""Which words of a dialogue caused a flag. One function a code; a code whose reason is in no word is listed as such.

Comes in: a flag and the turns as they are now. A word that a rewrite has removed is not marked any more. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from curation import faults
from curation.checks import avoided
from curation.cleaning import damage, language, personal_data
from curation.cleaning.differences import words
from curation.cleaning.word_lists import UNMARKED
from curation.persona import Persona
from curation.record import Flag, Message


@dataclass(frozen=True, slots=True)
class Place:
    """Characters ``start`` to ``end`` of a turn (counted from 0)."""

    turn: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a function may look at. ``twin`` are the turns of the sample that the flag compares with, if known."""

    messages: Sequence[Message]
    persona: Persona
    twin: Sequence[Message] | None = None

    def replies(self) -> Iterator[tuple[int, str]]:
        """Yield the character's turns with their numbers."""
        return ((at, m.content) for at, m in enumerate(self.messages) if m.role == "assistant")


Marker: TypeAlias = Callable[[str, Seen], Iterator[Place]]

MARKERS: dict[str, Marker] = {}
# Their reason is in no word of the dialogue: in another sample as a whole, in what is missing, or in who said it.
WITHOUT_WORDS = frozenset(
    {
        "near_duplicate",  # the page shows the difference from each neighbour
        "edited_since_review",
        "review_outdated",
        "empty_reply",
        "empty_turn",
        "no_reply_at_the_end",
        "weak_speaker",
        "feedback_better",
        "feedback_up",
        "feedback_down",
        "missing_attachment",
        "similar_name",  # a speaker's name, which stands beside the turn
        "written_by_model",
    }
)


def marks(
    flag: Flag, messages: Sequence[Message], persona: Persona, twin: Sequence[Message] | None = None
) -> list[Place]:
    """Return the places that caused a flag, in order; none for a code without words and for one that is not known."""
    marker = MARKERS.get(flag.code)
    if marker is None:
        return []
    found = {p for p in marker(flag.detail, Seen(messages, persona, twin)) if p.end > p.start}
    return sorted(found, key=lambda p: (p.turn, p.start, p.end))


def _marker(*codes: str) -> Callable[[Marker], Marker]:
    def register(function: Marker) -> Marker:
        MARKERS.update(dict.fromkeys(codes, function))
        return function

    return register


@_marker("out_of_character")
def _out_of_character(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the words of the detail where they are the character's own speech, in replies."""
    # The words of the flag, not of today's persona.toml, which may have changed since.
    listed = tuple(w for w in detail.rpartition(" would not say: ")[2].split(", ") if w)
    style = seen.persona.style.model_copy(update={"avoid": listed})
    persona = seen.persona.model_copy(update={"style": style})
    yield from (Place(at, *span) for at, text in seen.replies() for span in avoided(text, persona))


@_marker("over_length")
def _over_length(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark what is beyond the limit."""
    limit = seen.persona.style.max_reply_chars
    yield from (Place(at, limit, len(text)) for at, text in seen.replies() if len(text) > limit)


@_marker("example_row")
def _example_row(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the words that make the reply an example."""
    yield from _matches(re.compile(re.escape(detail), re.IGNORECASE), seen.replies())


@_marker("label_in_reply")
def _label_in_reply(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the labels at the start of a reply's lines."""
    names = (*seen.persona.user_labels, seen.persona.name, *seen.persona.aliases)
    labels = re.compile(rf"^(?:{'|'.join(map(re.escape, names))})\s*[:：]", re.MULTILINE | re.IGNORECASE)
    yield from _matches(labels, seen.replies())


@_marker("possible_speaker")
def _possible_speaker(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the lines that open with the name."""
    name = r"\s+".join(map(re.escape, detail.split()))
    yield from _matches(re.compile(rf"^[^\w\n]*{name}[^\w\n]*[:：].*$", re.MULTILINE) if name else None, seen.replies())


@_marker("unknown_speaker")
def _unknown_speaker(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the turn that no speaker is named for, or that several say."""
    head = detail.removeprefix("no speaker is named for: ")
    several = detail.removeprefix("said by several at once: ")
    for at, message in enumerate(seen.messages):
        if (message.role == "user" and message.name in (None, "") and head and message.content.startswith(head)) or (
            several != detail and message.name == several
        ):
            yield Place(at, 0, len(message.content))


@_marker("personal_data")
def _personal_data(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark each piece, in any turn."""
    for at, message in enumerate(seen.messages):
        found = [value for _, value in personal_data.find(message.content, seen.persona.languages)]
        if found:
            pattern = re.compile("|".join(map(re.escape, sorted(found, key=len, reverse=True))))
            yield from _matches(pattern, [(at, message.content)])


@_marker("user_line_repeated")
def _user_line_repeated(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the user's line in the replies."""
    yield from _matches(re.compile(re.escape(detail), re.IGNORECASE) if detail else None, seen.replies())


@_marker("language")
def _language(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the replies that are in another language; where none is by itself, all of them."""
    replies = list(seen.replies())
    foreign = [(at, text) for at, text in replies if language.judge(text, seen.persona).foreign]
    yield from (Place(at, 0, len(text)) for at, text in foreign or replies)


@_marker("no_diacritics")
def _no_diacritics(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the replies that are typed without marks."""
    for at, text in seen.replies():
        if language.judge(text, seen.persona, UNMARKED).unmarked:
            yield Place(at, 0, len(text))


@_marker("chat_spelling")
def _chat_spelling(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the words of the detail, in replies."""
    yield from _matches(_whole([w for w in detail.split(", ") if w]), seen.replies())


@_marker("diacritics")
def _diacritics(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the words that the other sample has with other marks."""
    for (at, message), other in zip(enumerate(seen.messages), seen.twin or (), strict=False):
        here = 0
        for side, text in words(other.content, message.content):
            if side == "new":
                yield Place(at, here, here + len(text))
            here += 0 if side == "old" else len(text)


@_marker("lost_referent")
def _lost_referent(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the pronoun in the user's turns."""
    asked = [(at, m.content) for at, m in enumerate(seen.messages) if m.role == "user"]
    yield from _matches(_whole([detail]) if detail else None, asked)


@_marker("template_words")
def _template_words(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark each placeholder or mark of a template, in any turn."""
    for at, message in enumerate(seen.messages):
        if found := damage.template_words_in(message.content):
            yield from _matches(re.compile("|".join(map(re.escape, found))), [(at, message.content)])


@_marker("damaged_letters")
def _damaged_letters(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the turns whose letters look damaged."""
    for at, message in enumerate(seen.messages):
        if damage.looks_damaged(message.content):
            yield Place(at, 0, len(message.content))


@_marker("prompt_echoed", "repaired_letters")
def _whole_reply(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the replies that begin as the detail does; marks and case do not count."""
    for at, text in seen.replies():
        if _words(text)[:_FIRST] == _words(detail)[:_FIRST]:
            yield Place(at, 0, len(text))


_FIRST = 5  # words


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


@_marker("name_spelling")
def _name_spelling(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark each misspelt name, in any turn."""
    wrong = _whole([pair.partition(" → ")[0] for pair in detail.split(", ") if pair])
    yield from _matches(wrong, ((at, m.content) for at, m in enumerate(seen.messages)))


@_marker("wrong_address")
def _wrong_address(detail: str, seen: Seen) -> Iterator[Place]:
    """Mark the words for people that the detail names, in replies."""
    yield from _matches(
        _whole([pair.partition(": ")[2] for pair in detail.split("; ") if ": " in pair]), seen.replies()
    )


def _fault(code: str) -> Marker:
    """Return the marker of a fault of one reply: the pieces that the fault finds in the turns as they are now."""

    def mark(detail: str, seen: Seen) -> Iterator[Place]:
        for at, text in seen.replies():
            found = faults.pieces(code, text, seen.persona)
            if code == "cut_off" and not found and detail and text.rstrip().endswith(detail):
                found = [detail]  # only the corpus showed it
            if found:
                longest_first = sorted(map(re.escape, found), key=len, reverse=True)
                case = re.IGNORECASE if code == "loop" else 0  # every time that the words come again
                yield from _matches(re.compile("|".join(longest_first), case), [(at, text)])

    return mark


MARKERS.update({code: _fault(code) for code in faults.codes()})


def _whole(listed: Sequence[str]) -> re.Pattern[str] | None:
    """Return a pattern of whole words, in any case: `dạ` must not find `dạy`."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, listed))})(?!\w)", re.IGNORECASE) if listed else None


def _matches(pattern: re.Pattern[str] | None, turns: Iterable[tuple[int, str]]) -> Iterator[Place]:
    if pattern is not None:
        yield from (Place(at, *match.span()) for at, text in turns for match in pattern.finditer(text))
