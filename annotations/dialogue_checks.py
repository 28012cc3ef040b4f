"""Checks of a whole dialogue while an annotator edits it: the rules for replies, and those that compare turns."""

from __future__ import annotations

from collections.abc import Sequence

from curation import faults
from curation.checks import check_reply
from curation.cleaning.language import language_flags
from curation.persona import Persona
from curation.record import Flag, Message

# With one of these a dialogue is not a sample and cannot be approved.
UNFINISHED = frozenset({"empty_turn", "no_reply_at_the_end"})


def check_messages(messages: Sequence[Message], persona: Persona) -> tuple[Flag, ...]:
    """Return the flags for what an annotator should fix, each code once."""
    found: dict[str, Flag] = {}
    if any(not m.content.strip() for m in messages):
        found["empty_turn"] = Flag("empty_turn")
    if not messages or messages[-1].role != "assistant":
        found["no_reply_at_the_end"] = Flag("no_reply_at_the_end")
    for message in messages:
        text = message.content.strip()
        for flag in (
            (*check_reply(text, persona), *language_flags([text], persona)) if message.role == "assistant" else ()
        ):
            found.setdefault(flag.code, flag)
    for flag in faults.in_messages(messages, persona):
        found.setdefault(flag.code, flag)
    if "empty_turn" in found:
        found.pop("empty_reply", None)  # the same turn; once is enough
    return tuple(found.values())
