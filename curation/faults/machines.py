"""What a language model, a prompt or an unfinished template leaves in a reply."""

from __future__ import annotations

import re
from collections.abc import Iterable

from curation.faults.registry import fault
from curation.faults.words import patterns
from curation.persona import Persona

_ASSISTANT = patterns("assistant")
_PLACEHOLDER = patterns("placeholder")
_NOTE = patterns("note")
_IN_BRACKETS = patterns("note", "note_in_brackets")
_BRACKETED = re.compile(r"[(\[]([^()\[\]\n]{2,40})[)\]]")
_AROUND = " .…!?-*#:()[]\n"


@fault
def assistant_words(text: str, persona: Persona) -> Iterable[str]:
    """The reply speaks as a language model or an assistant does."""
    return (m.group().strip() for m in _ASSISTANT.finditer(text))


@fault
def placeholder(text: str, persona: Persona) -> Iterable[str]:
    """The reply holds a text that someone meant to replace."""
    yield from (m.group() for m in _PLACEHOLDER.finditer(text))
    if _NOTE.fullmatch(text.strip(_AROUND)):
        yield text.strip()
    yield from (m.group() for m in _BRACKETED.finditer(text) if _IN_BRACKETS.fullmatch(m.group(1).strip(_AROUND)))
