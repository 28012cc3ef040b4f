"""Turns a conversation into the token ids that an engine in this process reads, with room left for the reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from curation import chat
from curation.chat.layout import layout_of
from curation.contracts.run import SAME_IDS, read_same_ids
from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import Message, messages_from_json
from serve.engine import Cancelled, ConversationTooLong, Counted, MemoryTooLong, Settings
from serve.model_files.served_run import Run

# Past the window the oldest exchanges go by this part of it at a time, so that the prompt's beginning, which is cached,
# stays the same for many turns.
BLOCKS = 4
# The share of a prompt that memory and pinned facts may take.
_MEMORY_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Reader:
    """What an engine in this process needs to make prompts: ``context`` is in tokens, for prompt and reply together."""

    tokenizer: Any
    persona: Persona
    context: int
    prompt: chat.Prompt

    def room(self, settings: Settings) -> int:
        """Return how many tokens a prompt may have."""
        return self.context - min(settings.max_new_tokens, self.context // 2)

    def fit(self, messages: Sequence[Message], settings: Settings, cancelled: Cancelled) -> chat.Fitted:
        """Return what the model will read: the ids that training would see for it.

        A conversation that ends with a reply is to be continued, so what ends that reply is left out of the ids.
        Raises ConversationTooLong when even the last exchange does not fit, chat.Abandoned when the client has left.
        """
        limit = self.room(settings)
        fitted = chat.fit(messages, self.tokenizer, self.persona, limit, self.prompt, BLOCKS, cancelled)
        if fitted is None:
            raise self._too_long(limit)
        if fitted.messages[-1].role == "assistant":
            layout, ids = layout_of(self.tokenizer, self.prompt), fitted.rendered.input_ids
            opened = replace(fitted.rendered, input_ids=ids[: len(ids) - len(layout.ids(layout.closing()))])
            return replace(fitted, rendered=opened)
        return fitted

    def check(self, messages: Sequence[Message], settings: Settings) -> None:
        """Raise ConversationTooLong where :meth:`fit` would, without reading more than the last exchange."""
        limit = self.room(settings)
        turns = [m for m in messages if m.role != "system"]
        replies = [at for at, m in enumerate(turns[:-1]) if m.role == "assistant"]
        last = turns[replies[-1] + 1 if replies else 0 :]
        if self._count([*(m for m in messages if m.role == "system"), *last], limit) > limit:
            raise self._too_long(limit)

    def check_memory(self, turns: Sequence[Message], told: Sequence[Message], settings: Settings) -> None:
        """Raise MemoryTooLong where what ``told`` remembers beside ``turns`` takes more than a quarter of a prompt."""
        limit = self.room(settings)
        most, last = int(_MEMORY_SHARE * limit), turns[-1:]
        without = self._count([*(m for m in turns[:-1] if m.role == "system"), *last], 2 * limit)
        if self._count([*(m for m in told if m.role == "system"), *last], 2 * limit) - without > most:
            raise MemoryTooLong(
                f"memory and pinned facts take more than {most} tokens, a quarter of what this model reads before it "
                "answers. Shorten them."
            )

    def count(self, messages: Sequence[Message], settings: Settings) -> Counted:
        """Return how much of the window a conversation takes, and from where on it would be read."""
        limit = self.room(settings)
        tokens = self._count(messages, 2 * limit)
        fitted = chat.fit(messages, self.tokenizer, self.persona, limit, self.prompt, BLOCKS)
        if fitted is None:
            turns = sum(m.role != "system" for m in messages)
            return Counted(tokens, limit, max(0, turns - 1), 0)
        first = fitted.opening + fitted.dropped if fitted.dropped else 0
        return Counted(tokens, limit, first, fitted.opening)

    def _count(self, messages: Sequence[Message], most: int) -> int:
        return chat.count(messages, self.tokenizer, self.persona, most, self.prompt)

    def _too_long(self, limit: int) -> ConversationTooLong:
        return ConversationTooLong(
            f"the last message does not fit: this model reads at most {limit} tokens before it answers. "
            "Shorten the message."
        )


def prove(run: Run, tokenizer: Any) -> None:
    """Prove that the run is served the token ids that it was trained on.

    Compares with what its training rendered, which the run keeps; an older run has no record and is proved in itself
    alone. Raises InosukeError when a tokenizer, template, persona or version of this program gives other ids.
    """
    served, trained = run.persona.as_served(), run.persona.as_trained()
    chat.prove(chat.EXAMPLES, tokenizer, served, run.prompt)
    if run.prompt == "chat":
        chat.prove_facts((), tokenizer, served)
    if (recorded := read_same_ids(run.folder)) is None:
        return
    told = [(trained, messages_from_json(d.messages), d) for d in recorded.dialogues]
    # With another book than at the training, nothing can be compared: those dialogues were proved in themselves.
    if served.book is not None and served.book.sha256 == recorded.lorebook:
        talks = [(messages_from_json(d.messages), d) for d in recorded.with_facts]
        count = chat.counter(tokenizer)
        told += [(served, tuple(chat.with_facts(talk, served, count).messages), d) for talk, d in talks]
    for persona, messages, dialogue in told:
        rendered = chat.render(messages, tokenizer, persona, run.prompt)
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
