"""What the lorebook tells the character before an answer: facts that fire on the newest messages, where they fit."""

from __future__ import annotations

from collections.abc import Sequence

from curation import chat
from curation.lorebook.telling import about_tokens
from curation.record import Message
from serve.answering.service import Service
from serve.engine import ConversationTooLong, CountsTokens, Settings

# The share of a prompt that fired facts may take, whatever the book's own budget is.
SHARE = 0.5


def told(service: Service, turns: Sequence[Message], settings: Settings) -> chat.Told:
    """Return the turns with the facts that fire on them.

    Where the newest message does not fit beside the facts, those of the lowest priority are left out: a book must not
    make a message too long that fits without it. A message that does not fit alone comes back alone.
    """
    engine = service.engine
    if service.persona.book is None or (service.run is not None and service.run.prompt == "alpaca"):
        return chat.Told(list(turns))

    def count(text: str) -> int:
        ids = engine.tokens(text)
        return about_tokens(text) if ids is None else len(ids)

    room = engine.count((), settings).window if isinstance(engine, CountsTokens) else None
    most = None if room is None else int(room * SHARE)
    while True:
        found = chat.with_facts(turns, service.persona, count, most)
        try:
            if isinstance(engine, CountsTokens):
                engine.check(found.messages, settings)
            return found
        except ConversationTooLong:
            if not found.facts:
                return found
            most = sum(count(fact.text) for fact in found.facts) // 2
