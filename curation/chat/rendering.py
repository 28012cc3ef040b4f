"""Messages → token ids with a loss mask. Training and serving both call :func:`render`, and nothing else does this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curation.chat.language import languages_at
from curation.chat.layout import JOINED, Prompt, layout_of
from curation.persona import Persona
from curation.record import Message


@dataclass(frozen=True, slots=True)
class Rendered:
    """Token ids and, for each, whether the loss counts it; ``chars`` is the length of the replies that it counts."""

    input_ids: list[int]
    loss_mask: list[int]
    chars: int = 0


def render(messages: Sequence[Message], tokenizer: Any, persona: Persona, prompt: Prompt = "chat") -> Rendered:
    """Render a dialogue as token ids and a loss mask, for training and serving alike.

    ``prompt="chat"`` uses the tokenizer's chat template (:class:`curation.chat.layout.ChatLayout`), with the persona's
    system prompt in the conversation's language if the dialogue does not start with one. ``prompt="alpaca"`` is the
    ``### Instruction:`` layout. A dialogue that ends with a user turn gets the cue for a reply; one that ends with a
    reply is complete. The loss counts the replies and the end-of-turn token after each, nothing else. It leaves out a
    reply that would have been served under the system prompt of another language.

    A turn's text is tokenized apart from the layout around it, and never as control tokens. So the ids of
    ``messages[:k]`` are a prefix of the ids of ``messages`` wherever turn k is a reply that the loss counts, and a
    typed ``<|im_end|>`` is text. Raises ValueError without messages, InosukeError for a template that cannot be used
    this way.
    """
    return render_read(messages, tokenizer, persona, prompt, {})


def render_read(
    messages: Sequence[Message], tokenizer: Any, persona: Persona, prompt: Prompt, read: Mapping[str, list[int]]
) -> Rendered:
    """Render; ``read`` has the ids of texts that were read already."""
    if not messages:
        raise ValueError("render needs at least one message")
    layout = layout_of(tokenizer, prompt)
    turns = list(messages)
    counted = [True] * len(turns)
    if prompt == "chat" and turns[0].role != "system":
        # Without one, Qwen's template would add its own ("You are Qwen, created by Alibaba Cloud").
        texts = [persona.system_prompt_in(language) for language in languages_at(turns, persona)]
        turns.insert(0, Message("system", texts[-1]))
        counted = [True, *(text == texts[-1] for text in texts)]
    input_ids: list[int] = []
    loss_mask: list[int] = []
    chars = 0

    def add(ids: list[int], learnt: bool) -> None:
        input_ids.extend(ids)
        loss_mask.extend([int(learnt)] * len(ids))

    begin, learnt = 0, False
    for end in exchange_ends(turns):
        reply = turns[end] if end < len(turns) else None
        roles = tuple(m.role for m in turns[begin:end])
        form = layout.following(roles) if begin else layout.opening(roles)
        for number, part in enumerate(form):
            if isinstance(part, int):
                text = spoken_text(turns[begin + part], persona)
                add(read.get(text) or plain_ids(text, tokenizer), False)
                continue
            add(layout.ids(part), form == JOINED and learnt)
            if begin and not number and form != JOINED:  # the control token that ends the reply before
                loss_mask[-len(layout.ids(part))] = int(learnt)
        if reply is None:
            break
        learnt = counted[end]
        text = spoken_text(reply, persona)
        add(read.get(text) or plain_ids(text, tokenizer), learnt)
        chars += len(text) * learnt
        begin = end + 1
    else:
        ids = layout.ids(layout.closing())
        add(ids, False)
        loss_mask[-len(ids)] = int(learnt)
    return Rendered(input_ids, loss_mask, chars)


def spoken_text(message: Message, persona: Persona) -> str:
    """Return what the model reads for a turn: a third speaker's name is part of it, a layout label is not.

    Facts come first, with an empty line after them. This is the one place where they reach a model.
    """
    text = message.content.strip()
    if message.role == "user" and message.name and not persona.is_user(message.name):
        text = f"{message.name}: {text}"
    return f"{message.facts}\n\n{text}" if message.facts else text


def plain_ids(text: str, tokenizer: Any) -> list[int]:
    """Return the ids of what a speaker said, in which a control token is text."""
    ids: list[int] = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return ids


def exchange_ends(turns: Sequence[Message]) -> list[int]:
    """Return the indices of the replies, and the number of turns where the last one is not a reply."""
    ends = [index for index, m in enumerate(turns) if m.role == "assistant"]
    return ends if ends and ends[-1] == len(turns) - 1 else [*ends, len(turns)]
