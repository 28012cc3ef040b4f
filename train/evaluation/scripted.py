"""Long dialogues in which the user's turns are written beforehand, to see whether a character drifts.

Each dialogue shuffles the same turns, so that a late turn asks nothing that an early one does not. Several dialogues
are answered at once and keep their key/value cache from turn to turn: a reply costs its own tokens only.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from curation import chat
from curation.persona import Persona
from curation.record import Message
from train.model.generate import Reply, left_padded, reply_of
from train.model.load import end_ids

SCRIPTS = Path(__file__).parent / "scripts"
REPLY_TOKENS = 48
LONGEST_CONTEXT = 4096  # tokens


def scripts(language: str, count: int) -> list[list[str]]:
    """Return the user's turns of ``count`` dialogues; nothing in a language that has no script."""
    file = SCRIPTS / f"{language}.txt"
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()
    return [random.Random(number).sample(lines, len(lines)) for number in range(count)]  # noqa: S311


def talk(
    model: Any,
    tokenizer: Any,
    persona: Persona,
    prompt: chat.Prompt,
    said: Sequence[Sequence[str]],
    after_turn: Callable[[int], object] = lambda turns_done: None,
) -> list[list[Reply]]:
    """Answer all turns of each dialogue by greedy decoding; dialogues stop together where the context is full.

    Every dialogue has as many turns. Returns the replies of each dialogue, in order.
    """
    ends = end_ids(tokenizer)
    context = min(getattr(model.config, "max_position_embeddings", LONGEST_CONTEXT), LONGEST_CONTEXT)
    histories: list[list[Message]] = [[] for _ in said]
    replies: list[list[Reply]] = [[] for _ in said]
    cue = [0] * len(said)  # the rendered tokens of a dialogue that the model has seen, without the last reply
    ids = torch.empty((len(said), 0), dtype=torch.long)
    seen = torch.empty((len(said), 0), dtype=torch.long)
    cache = None
    for turn in zip(*said, strict=True):
        new = []
        for at, text in enumerate(turn):
            histories[at].append(Message("user", text))
            rendered = chat.render(histories[at], tokenizer, persona, prompt).input_ids
            rest = rendered[cue[at] :]
            if replies[at]:
                # The reply's own tokens are in the cache as the model wrote them; the end of its turn may not be.
                end = next(i for i, token in enumerate(rest) if token in ends)
                rest = rest[end + 1 if replies[at][-1].ended else end :]
            new.append(rest)
            cue[at] = len(rendered)
        added, attention = left_padded(new, tokenizer.pad_token_id)
        if ids.shape[1] + added.shape[1] + REPLY_TOKENS > context:
            break
        ids = torch.cat([ids, added], dim=1)
        seen = torch.cat([seen, attention], dim=1)
        with torch.inference_mode():
            out = model.generate(
                input_ids=ids.to(model.device),
                attention_mask=seen.to(model.device),
                past_key_values=cache,
                max_new_tokens=REPLY_TOKENS,
                do_sample=False,
                use_cache=True,
                eos_token_id=ends,
                pad_token_id=tokenizer.pad_token_id,
                return_dict_in_generate=True,
            )
        cache = out.past_key_values
        written = out.sequences[:, ids.shape[1] :].cpu()
        ids = torch.cat([ids, written], dim=1)
        kept = torch.zeros_like(written)
        for at, row in enumerate(written.tolist()):
            reply, length = reply_of(row, tokenizer, ends)
            kept[at, :length] = 1
            replies[at].append(reply)
            histories[at].append(Message("assistant", reply.text))
        seen = torch.cat([seen, kept], dim=1)
        after_turn(1)
    return replies
