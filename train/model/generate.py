"""Replies from a loaded model, several prompts at a time, for model cards and evaluation; not for serving."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import LogitsProcessor, LogitsProcessorList, RepetitionPenaltyLogitsProcessor

from curation import chat
from curation.bases import Sampling
from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import Message
from curation.repeats import repeat_penalties
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
    sampling: Sampling | None = None,
    seed: int = 0,
) -> list[Reply]:
    """Answer each prompt (it ends with a user turn) by greedy decoding, so that runs can be compared.

    With ``sampling`` tokens are drawn instead, with random numbers that ``seed`` alone decides. Where memory runs out,
    fewer prompts are answered at once. Raises InosukeError when it runs out with a single one.
    """
    ends = end_ids(tokenizer)
    answers: list[Reply] = []
    rendered = [chat.render(p, tokenizer, persona, prompt).input_ids for p in prompts]
    size = BATCH

    def some(count: int) -> list[Reply]:
        group = rendered[len(answers) : len(answers) + count]
        return _group(model, tokenizer, group, ends, max_new_tokens, sampling)

    was_training = model.training
    model.eval()
    try:
        with torch.random.fork_rng([model.device] if model.device.type == "cuda" else []):
            torch.manual_seed(seed)
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


def left_padded(rows: Sequence[list[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and attention mask, each ``[B, L]``, padded on the left: a reply must follow its prompt at once.

    ``L`` is the length of the longest of the B rows.
    """
    width = max(map(len, rows))
    ids = torch.tensor([[pad_id] * (width - len(row)) + row for row in rows])
    return ids, torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])


def reply_of(written: list[int], tokenizer: Any, ends: Sequence[int]) -> tuple[Reply, int]:
    """Return the reply that generated ids hold, and how many of them belong to it, with the token that ended its turn.

    A truncated reply may end inside a character of several tokens, which decodes to U+FFFD.
    """
    end = next((i for i, token in enumerate(written) if token in ends), None)
    text = re.sub(r"[\s\ufffd]+$", "", tokenizer.decode(written[:end])).strip()
    return Reply(text, end is not None), len(written) if end is None else end + 1


def _group(
    model: Any,
    tokenizer: Any,
    group: list[list[int]],
    ends: list[int],
    max_new_tokens: int,
    sampling: Sampling | None,
) -> list[Reply]:
    ids, attention = left_padded(group, tokenizer.pad_token_id)
    with torch.inference_mode():
        out = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=attention.to(model.device),
            max_new_tokens=max_new_tokens,
            use_cache=True,
            **_choice(sampling, ids.shape[1]),
            eos_token_id=ends,
            pad_token_id=tokenizer.pad_token_id,
        )
    return [reply_of(row, tokenizer, ends)[0] for row in out[:, ids.shape[1] :].tolist()]


def _choice(sampling: Sampling | None, prompt_width: int) -> dict[str, Any]:
    """Return how ``generate`` chooses a token; every setting is given, since a model may bring others of its own."""
    if sampling is None or sampling.temperature == 0:
        return {"do_sample": False}
    # As in serving, tokens of the prompt are not penalised: the system prompt asks for some of them.
    penalties = LogitsProcessorList()
    if sampling.repeat_penalty > 1:
        penalties.append(RepetitionPenaltyLogitsProcessor(sampling.repeat_penalty, prompt_ignore_length=prompt_width))
    if sampling.dry_multiplier:
        penalties.append(_Dry(sampling.dry_multiplier, prompt_width))
    return {
        "do_sample": True,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p or None,
        "repetition_penalty": 1.0,
        "logits_processor": penalties,
    }


class _Dry(LogitsProcessor):  # type: ignore[misc]
    """Penalises tokens that would continue a sequence which their reply already holds."""

    def __init__(self, multiplier: float, prompt_width: int) -> None:
        self._multiplier, self._prompt_width = multiplier, prompt_width

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores, [B, vocabulary], for the next token of each of the replies in ``input_ids``, [B, L]."""
        scores = scores.clone()
        for row, reply in enumerate(input_ids[:, self._prompt_width :].tolist()):
            for token, penalty in repeat_penalties(reply, self._multiplier).items():
                scores[row, token] -= penalty
        return scores
