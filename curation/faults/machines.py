"""What a language model, a prompt or an unfinished template leaves in a reply."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from curation.faults.registry import fault
from curation.faults.words import patterns
from curation.persona import Persona

_ASSISTANT = patterns("assistant")
_PLACEHOLDER = patterns("placeholder")
_NOTE = patterns("note")
_IN_BRACKETS = patterns("note", "note_in_brackets")
_BRACKETED = re.compile(r"[(\[]([^()\[\]\n]{2,40})[)\]]")
# Marks alone, one of which no one says: silence (`…`) and surprise (`?!`) can be an answer.
_MARKS = re.compile(r"(?=.*[@#%&|/\\<>{}\[\]()=+_])[!-/:-@\[-`{-~…\s]+")
_AROUND = " .…!?-*#:()[]\n"


@fault
def assistant_words(text: str, persona: Persona) -> Iterable[str]:
    """The reply speaks as a language model or an assistant does."""
    yield from (m.group().strip() for m in _ASSISTANT.finditer(text))
    # An author tells what the character would say.
    yield from (m.group() for m in _told(persona.name).finditer(text))


@fault
def placeholder(text: str, persona: Persona) -> Iterable[str]:
    """The reply holds a text that someone meant to replace."""
    yield from (m.group() for m in _PLACEHOLDER.finditer(text))
    if _MARKS.fullmatch(text.strip()):
        yield text.strip()
    if _NOTE.fullmatch(text.strip(_AROUND)):
        yield text.strip()
    yield from (m.group() for m in _BRACKETED.finditer(text) if _IN_BRACKETS.fullmatch(m.group(1).strip(_AROUND)))


@lru_cache(maxsize=8)
def _told(name: str) -> re.Pattern[str]:
    """Return a pattern of a sentence that tells how the character would answer: `Inosuke would probably say`."""
    return re.compile(
        rf"\b{re.escape(name)} (?:(?:would|might|could|will|may)(?: \w+)? (?:say|reply|respond|answer|shout|yell)|"
        r"(?:có thể|có lẽ|chắc|sẽ|hẳn)(?: (?:sẽ|là|có thể))? "
        r"(?:nói|đáp|trả lời|phản ứng|hét|bảo)(?: rằng| là| như| thế này)?)"
        r"(?!\w)",
        re.IGNORECASE,
    )
