"""How likely a model finds replies: the loss for training and the scores for reports. Knows nothing of files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from train.batches import IGNORE, Batch, by_length, packed
from train.data import Encoded

# Eight rows keep the attention mask of a packed batch small (about 1,000 x 1,000) and measured fastest on two cores.
EVAL_ROWS = 8


@dataclass(frozen=True, slots=True)
class Score:
    """Negative log-likelihood (natural log) of replies, summed, with what it is spread over.

    ``nll`` counts the words of the replies and the end-of-turn token after each; ``end_nll`` is the part of the
    ``turns`` end-of-turn tokens alone.
    """

    nll: float
    end_nll: float
    tokens: int
    chars: int
    turns: int

    def as_json(self) -> dict[str, float | int]:
        """Return the figures that ``metrics.json`` holds, with the counts behind them."""
        loss = self.nll / self.tokens
        return {
            "reply_nll_per_char": self.nll / self.chars,
            "loss": loss,
            "perplexity": math.exp(min(loss, 700.0)),  # exp overflows a float from 709 on
            "end_of_turn_nll": self.end_nll / self.turns,
            "reply_tokens": self.tokens,
            "reply_chars": self.chars,
            "replies": self.turns,
        }


def token_losses(model: Any, batch: Batch) -> torch.Tensor:
    """Return the loss of each counted token, ``[N]`` in fp32, in the order of ``batch["labels"] != -100``.

    The vocabulary is projected at these N positions only: in a dialogue most tokens are prompt, and a row of 49,152
    (SmolLM2) or 151,936 (Qwen2.5) logits for each of them is the largest tensor of the step.
    """
    keep = batch["labels"] != IGNORE
    inputs = {k: v for k, v in batch.items() if k not in ("labels", "row")}
    logits = model(**inputs, logits_to_keep=keep, use_cache=False).logits
    return functional.cross_entropy(logits.float(), batch["labels"][keep], reduction="none")


def score(
    model: Any,
    rows: Sequence[Encoded],
    end_ids: Iterable[int],
    after_batch: Callable[[int], object] = lambda rows_done: None,
) -> Score:
    """Score the replies of encoded rows. ``end_ids`` are the tokens that may end a turn."""
    ends = torch.tensor(sorted(end_ids))
    nll = end_nll = 0.0
    tokens = turns = 0
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for group in by_length(rows, EVAL_ROWS):
                batch = {k: v.to(model.device) for k, v in packed(group).items()}
                losses = token_losses(model, batch).cpu().double()
                labels = batch["labels"][batch["labels"] != IGNORE].cpu()
                is_end = torch.isin(labels, ends)
                nll += losses.sum().item()
                end_nll += losses[is_end].sum().item()
                tokens += losses.numel()
                turns += int(is_end.sum())
                after_batch(len(group))
    finally:
        model.train(was_training)
    return Score(nll, end_nll, tokens, sum(r.chars for r in rows), turns)
