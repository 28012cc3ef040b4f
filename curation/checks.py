"""Persona checks: what an annotator should look at before a line becomes the character's.

Used by cleaning, by the review desk while somebody types, and by the evaluation of a model's replies. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from curation.persona import Persona
from curation.record import Flag, Sample

# Flags under which nothing is approved by itself, whoever wrote it: the words may be somebody else's, or about them.
BLOCKING = frozenset({"possible_speaker", "unknown_speaker", "label_in_reply", "personal_data"})


def check_sample(sample: Sample, persona: Persona) -> tuple[Flag, ...]:
    """Return the flags that the character's turns give rise to, each code once."""
    found: dict[str, Flag] = {}
    for reply in sample.replies:
        for flag in check_reply(reply, persona):
            found.setdefault(flag.code, flag)
    return tuple(found.values())


def check_reply(text: str, persona: Persona) -> tuple[Flag, ...]:
    """Return a flag for each rule of ``persona.style`` that one reply breaks."""
    return tuple(Flag(code, detail) for code, rule in RULES.items() if (detail := rule(text, persona)))


def _empty(text: str, persona: Persona) -> str:
    return "" if text.strip() else "the reply is empty"


def _out_of_character(text: str, persona: Persona) -> str:
    avoid = persona.style.avoid
    found = sorted({m.group(0).lower() for m in _words(avoid).finditer(text)}) if avoid else []
    return f"he would not say: {', '.join(found)}" if found else ""


def _over_length(text: str, persona: Persona) -> str:
    limit = persona.style.max_reply_chars
    return f"{len(text)} characters; {persona.name} says at most {limit} at once" if len(text) > limit else ""


def _speaks_for_user(text: str, persona: Persona) -> str:
    names = (*persona.user_labels, persona.name, *persona.aliases)
    match = re.search(rf"^({'|'.join(map(re.escape, names))})\s*[:：]", text, re.MULTILINE | re.IGNORECASE)
    return f"the label `{match.group(1)}:` stands inside the reply" if match else ""


# code → (reply, persona) → why, or an empty text. One line a rule; the review desk shows the text as it is.
RULES: dict[str, Callable[[str, Persona], str]] = {
    "empty_reply": _empty,
    "out_of_character": _out_of_character,
    "over_length": _over_length,
    "label_in_reply": _speaks_for_user,
}


@lru_cache
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    """Whole words only: `dạ` must not find `dạy`."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)
