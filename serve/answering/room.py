"""What a character reads of a room, where a model's window is too small for all that was said since it last spoke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curation.persona import Persona
from curation.record import Message
from curation.room import Line, heard
from serve.answering.service import Service
from serve.engine import ConversationTooLong, CountsTokens, Settings


def readable(
    service: Service,
    lines: Sequence[Line],
    speaker: str,
    people: Mapping[str, Persona],
    visitor: str,
    settings: Settings,
) -> tuple[list[Message], int]:
    """Return the conversation as the dialogue of ``speaker``, and how many of the oldest lines are left out of it.

    Past the window whole exchanges go (:func:`curation.chat.fit`). The last exchange of a character who has listened
    for long may alone be too much, though, so there the oldest lines go, a quarter at a time. Raises
    ConversationTooLong where even the last line does not fit.
    """
    first = 0
    while True:
        turns = heard(lines[first:], speaker, people, visitor)
        try:
            if isinstance(service.engine, CountsTokens):
                service.engine.check(turns, settings)
            return turns, first
        except ConversationTooLong:
            spoke = [n for n, line in enumerate(lines) if line.speaker == speaker]
            begins = max(first, spoke[-1] + 1 if spoke else 0)
            if len(lines) - begins < 2:
                raise
            first = begins + max(1, (len(lines) - begins) // 4)
