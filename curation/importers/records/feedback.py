"""Feedback from the chat page: one row for each rating of a reply, as `serve` writes it. None of it is trusted.

A better answer becomes a sample; a thumb makes a sample of the reply itself, flagged, so that an annotator keeps,
rewrites or rejects it. For each turn of a conversation the last row counts; earlier ones are rejected as superseded.
A turn is named by a hash of its id. Older rows name it by its number; those are matched by their messages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from curation.chat import BadRow
from curation.persona import Persona
from curation.record import Flag, Kind, Message, Sample, Source, sample_id

_NOWHERE = Source(path="", sha256="", locator="", importer="feedback")
_KEYS = {"conversation", "turn", "rating", "better", "messages"}
# Set by :func:`latest` on a row that a later one replaces.
_OLD = "superseded"


def is_feedback(row: Any) -> bool:
    """Return whether a row is feedback."""
    return isinstance(row, Mapping) and set(row) >= _KEYS


def place(row: Mapping[str, Any]) -> str:
    """Return the locator of a row: its conversation and turn."""
    return f"conversation {str(row['conversation'])[:64]} turn {str(row['turn'])[:16]}"


def kept(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what of a row becomes a sample: where a visitor wrote a better answer, not the reply that it replaces."""
    messages = row["messages"]
    return {**row, "messages": messages[:-1]} if row["better"] is not None and isinstance(messages, list) else row


def latest(numbered: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Yield the rows, marking feedback that a later row replaces.

    A file of feedback is recognised by its first row and read whole; any other is passed through row by row.
    """
    rest = iter(numbered)
    first = next(rest, None)
    if first is None:
        return
    if not is_feedback(first[1]):
        yield first
        yield from rest
        return
    rows = [first, *rest]
    last: dict[str, int] = {}
    for number, row in rows:
        if is_feedback(row):
            last[place(row)] = number
            if not isinstance(row["turn"], int):
                last[_words(row)] = number
    for number, row in rows:
        if is_feedback(row) and (last[place(row)] != number or _renamed(row, number, last)):
            row = {**row, _OLD: True}
        yield number, row


def _words(row: Mapping[str, Any]) -> str:
    return json.dumps([str(row["conversation"]), row["messages"]], sort_keys=True)


def _renamed(row: Mapping[str, Any], number: int, last: Mapping[str, int]) -> bool:
    """Return whether later feedback names by its id the turn that this row names by its number."""
    return isinstance(row["turn"], int) and last.get(_words(row), number) > number


def read(row: Mapping[str, Any], kind: Kind, persona: Persona) -> Sample:
    """Return the sample of a row. Raises BadRow where nothing is left to review."""
    # Rows of earlier servers do not tell whose reply it was; those kept one character's alone.
    character = row.get("character", persona.name)
    if not isinstance(character, str) or not persona.is_character(character):
        raise BadRow("other_character", f"the reply is from {character!r}, not from {persona.name}")
    if row.get(_OLD):
        raise BadRow("superseded", "a later row has other feedback on this turn")
    better, rating = row["better"], row["rating"]
    if better is None and rating is None:
        raise BadRow("withdrawn", "the visitor withdrew the feedback")
    if rating not in ("up", "down", None) or not isinstance(better, str | None):
        raise BadRow(
            "not_text", f"`rating` is {rating!r}, `better` is {type(better).__name__}; expected up, down, text"
        )
    messages = _messages(row["messages"])
    reply = messages[-1]
    flags: tuple[Flag, ...]
    if better is not None:
        messages = (*messages[:-1], Message("assistant", better))
        flags = (
            Flag("feedback_better", f"a visitor wrote this instead of: {reply.content}"),
            Flag("replaced_reply", reply.content),
        )
    elif rating == "up":
        flags = (Flag("feedback_up", "a visitor liked this reply"),)
    else:
        flags = (Flag("feedback_down", "a visitor disliked this reply: rewrite or reject it"),)
    return Sample(
        id=sample_id(kind, messages),
        kind=kind,
        messages=messages,
        language=None,
        topic=None,
        source=_NOWHERE,
        flags=flags,
    )


def _messages(rows: Any) -> tuple[Message, ...]:
    turns = rows if isinstance(rows, list) else []
    found = []
    for turn in turns:
        role, words = (turn.get("role"), turn.get("content")) if isinstance(turn, Mapping) else (None, None)
        if role not in ("user", "assistant") or not isinstance(words, str) or not words.strip():
            raise BadRow("unknown_role", "a turn has no words, or is neither the visitor's nor the character's")
        found.append(Message(role, words))
    if len(found) < 2 or found[-1].role != "assistant" or found[0].role != "user":
        raise BadRow("no_prompt", "expected a turn of the visitor and then the character's reply")
    return tuple(found)
