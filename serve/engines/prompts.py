"""Turns a conversation into the token ids that an engine in this process reads, with room left for the reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from curation import chat
from curation.persona import Persona
from curation.record import Message
from serve.engine import ConversationTooLong, Settings


def fit(
    messages: Sequence[Message], settings: Settings, tokenizer: Any, persona: Persona, context: int, prompt: chat.Prompt
) -> tuple[int, list[int]]:
    """Return how many turns were dropped, and the prompt's ids: those that training would see for the rest.

    ``context`` is in tokens. Raises ConversationTooLong when even the last exchange does not fit.
    """
    limit = context - min(settings.max_new_tokens, context // 2)
    fitted = chat.fit(messages, tokenizer, persona, limit, prompt)
    if fitted is None:
        raise ConversationTooLong(
            f"the last message does not fit: this model reads at most {limit} tokens before it answers. "
            "Shorten the message."
        )
    kept, rendered = fitted
    return _turns(messages) - _turns(kept), rendered.input_ids


def _turns(messages: Sequence[Message]) -> int:
    return sum(m.role != "system" for m in messages)
