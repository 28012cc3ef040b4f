"""Checks of a whole dialogue while an annotator edits it: the rules for replies, and those that compare turns."""

from __future__ import annotations

from collections.abc import Sequence

from curation.checks import check_reply
from curation.cleaning.language import MIN_LETTERS, detect
from curation.persona import Persona
from curation.record import Flag, Message

# With one of these a dialogue is not a sample and cannot be approved.
UNFINISHED = frozenset({"empty_turn", "no_reply_at_the_end"})

# A reply may repeat a shorter user's line ("Ta hả?") by chance.
_LINE_CHARS = 12


def check_messages(messages: Sequence[Message], persona: Persona) -> tuple[Flag, ...]:
    """Return the flags for what an annotator should fix, each code once."""
    found: dict[str, Flag] = {}
    if any(not m.content.strip() for m in messages):
        found["empty_turn"] = Flag("empty_turn")
    if not messages or messages[-1].role != "assistant":
        found["no_reply_at_the_end"] = Flag("no_reply_at_the_end")
    said: list[str] = []
    for message in messages:
        text = message.content.strip()
        if message.role != "assistant":
            said.append(text)
            continue
        for flag in (*check_reply(text, persona), *_language(text, persona), *_repeats(text, said)):
            found.setdefault(flag.code, flag)
    if "empty_turn" in found:
        found.pop("empty_reply", None)  # the same turn; once is enough
    return tuple(found.values())


def _language(text: str, persona: Persona) -> tuple[Flag, ...]:
    if sum(c.isalpha() for c in text) < MIN_LETTERS:
        return ()
    code = detect(text)
    if code is None or code in persona.languages:
        return ()
    return (Flag("language", f"looks like `{code}`; expected {' or '.join(persona.languages)}"),)


def _repeats(text: str, said: Sequence[str]) -> tuple[Flag, ...]:
    folded = text.casefold()
    line = next((s for s in said if len(s) >= _LINE_CHARS and s.casefold() in folded), None)
    return () if line is None else (Flag("user_line_repeated", line[:80]),)
