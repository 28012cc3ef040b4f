"""Persona checks: what an annotator should look at before a line becomes the character's.

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
    """Return a flag for each check that one reply fails, in the order of this file."""
    return tuple(Flag(code, detail) for code, function in _CHECKS.items() if (detail := function(text, persona)))


@check
def empty_reply(text: str, persona: Persona) -> str:
    """The reply has no words."""
    return "" if text.strip() else "the reply is empty"


@check
def out_of_character(text: str, persona: Persona) -> str:
    """The reply uses a word of ``persona.style.avoid``."""
    avoid = persona.style.avoid
    found = sorted({m.group(0).lower() for m in _words(avoid).finditer(text)}) if avoid else []
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


@lru_cache
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    """Whole words only: `dạ` must not find `dạy`."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)
