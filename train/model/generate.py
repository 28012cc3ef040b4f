"""Replies from a loaded model, several prompts at a time, for model cards and evaluation; not for serving."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from curation import chat
from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import Message
from train.model.load import end_ids
from train.model.out_of_memory import NoMemoryLeft, halving

MAX_NEW_TOKENS = 96  # for samples: most replies of the first corpus are shorter
BATCH = 8


@dataclass(frozen=True, slots=True)
class Reply:
    """A generated reply, and whether the model ended its turn within the token limit."""

    text: str
    ended: bool


def replies(
    model: Any,
    tokenizer: Any,
    persona: Persona,
    prompts: Sequence[Sequence[Message]],
    prompt: chat.Prompt = "chat",
    max_new_tokens: int = MAX_NEW_TOKENS,
    after_batch: Callable[[int], object] = lambda prompts_done: None,
) -> list[Reply]:
    """Answer each prompt (it ends with a user turn) by greedy decoding, so that runs can be compared.

    Where memory runs out, fewer prompts are answered at once. Raises InosukeError when it runs out with a single one.
    """
    ends = end_ids(tokenizer)
    answers: list[Reply] = []
    rendered = [chat.render(p, tokenizer, persona, prompt).input_ids for p in prompts]
    size = BATCH

    def some(count: int) -> list[Reply]:
        group = rendered[len(answers) : len(answers) + count]
        return _group(model, tokenizer, group, ends, max_new_tokens)

    was_training = model.training
    model.eval()
    try:
        while len(answers) < len(rendered):
            made = halving(size, some)
            answers += made
            size = len(made)
            after_batch(len(made))
    except NoMemoryLeft:
        raise InosukeError(
            "out of memory while prompts were answered, one at a time. Close other programs that use the memory, or "
            "choose a smaller base model."
        ) from None
    finally:
        model.train(was_training)
    return answers


def _group(model: Any, tokenizer: Any, group: list[list[int]], ends: list[int], max_new_tokens: int) -> list[Reply]:
    width = max(map(len, group))
    # Pad on the left: the reply must follow the last token of the prompt directly.
    ids = torch.tensor([[tokenizer.pad_token_id] * (width - len(row)) + row for row in group])
    attention = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in group])
    with torch.inference_mode():
        out = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=attention.to(model.device),
            max_new_tokens=max_new_tokens,
            do_sample=False,
            use_cache=True,
            eos_token_id=ends,
            pad_token_id=tokenizer.pad_token_id,
        )
    answers = []
    for row in out[:, width:].tolist():
        end = next((i for i, token in enumerate(row) if token in ends), None)
        # A truncated reply may end inside a character of several tokens, which decodes to U+FFFD.
        answers.append(Reply(tokenizer.decode(row[:end]).rstrip("\ufffd").strip(), end is not None))
    return answers
