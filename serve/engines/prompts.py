"""Turns a conversation into the token ids that an engine in this process reads, with room left for the reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from curation import chat
from curation.chat_layout import layout_of
from curation.contracts import SAME_IDS, read_same_ids
from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import Message, messages_from_json
from serve.engine import ConversationTooLong, Settings
from serve.model_files.served_run import Run


def fit(
    messages: Sequence[Message], settings: Settings, tokenizer: Any, persona: Persona, context: int, prompt: chat.Prompt
) -> tuple[int, list[int]]:
    """Return how many turns were dropped, and the prompt's ids: those that training would see for the rest.

    A conversation that ends with a reply is to be continued, so what ends that reply is left out. ``context`` is in
    tokens. Raises ConversationTooLong when even the last exchange does not fit.
    """
    limit = context - min(settings.max_new_tokens, context // 2)
    fitted = chat.fit(messages, tokenizer, persona, limit, prompt)
    if fitted is None:
        raise ConversationTooLong(
            f"the last message does not fit: this model reads at most {limit} tokens before it answers. "
            "Shorten the message."
        )
    kept, rendered = fitted
    ids = rendered.input_ids
    if kept[-1].role == "assistant":
        layout = layout_of(tokenizer, prompt)
        ids = ids[: len(ids) - len(layout.ids(layout.closing()))]
    return _turns(messages) - _turns(kept), ids


def prove(run: Run, tokenizer: Any) -> None:
    """Prove that the run is served the token ids that it was trained on.

    Compares with what its training rendered, which the run keeps; an older run has no record and is proved in itself
    alone. Raises InosukeError when a tokenizer, template, persona or version of this program gives other ids.
    """
    chat.prove(chat.EXAMPLES, tokenizer, run.persona, run.prompt)
    if (recorded := read_same_ids(run.folder)) is None:
        return
    for dialogue in recorded.dialogues:
        rendered = chat.render(messages_from_json(dialogue.messages), tokenizer, run.persona, run.prompt)
        if rendered.input_ids != dialogue.input_ids:
            pairs = enumerate(zip(rendered.input_ids, dialogue.input_ids, strict=False))
            shorter = min(len(rendered.input_ids), len(dialogue.input_ids))
            at = next((n for n, (here, there) in pairs if here != there), shorter)
            raise InosukeError(
                f"{run.folder}: a dialogue becomes other token ids here than in the run's training, from token {at} on "
                f"({SAME_IDS} has those). So the model would read what it never learnt. The tokenizer, persona.toml or "
                "this program has changed since: restore the run's files or the version that trained it, or train "
                "again."
            )


def greetings(persona: Persona, prompt: chat.Prompt) -> list[list[Message]]:
    """Return a shortest conversation for each system prompt, to read them into a cache before the first visitor."""
    hello = Message("user", "!")
    if prompt == "alpaca":
        return [[hello]]
    return [[Message("system", text), hello] for text in dict.fromkeys(persona.system_prompts.values())]


def _turns(messages: Sequence[Message]) -> int:
    return sum(m.role != "system" for m in messages)
