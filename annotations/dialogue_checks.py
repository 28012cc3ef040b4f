"""Checks of a whole dialogue while somebody edits it: the rules for replies, and what only shows between turns."""

from __future__ import annotations

from collections.abc import Sequence

from curation.checks import check_reply
from curation.cleaning.language import MIN_LETTERS, detect
from curation.persona import Persona
from curation.record import Flag, Message

# Without these a dialogue is no sample, whoever wants it approved.
UNFINISHED = frozenset({"empty_turn", "no_reply_at_the_end"})

# A user's line shorter than this ("Ta hả?") may well come back in a reply by chance.
_LINE_CHARS = 12


def check_messages(messages: Sequence[Message], persona: Persona) -> tuple[Flag, ...]:
    """Return what an annotator should mend, each code once."""
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
