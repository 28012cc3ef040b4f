"""Token ids in, next-token scores out, one sequence at a time. Knows nothing of text, chats or sampling.

The key/value cache of the last sequence is kept: a conversation that goes on, and every new one that opens with the
same system prompt, only computes the tokens that differ. ``benchmarks/`` and ``docs/log.md`` have the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import DynamicCache

# Long prompts are read in pieces, so that somebody who leaves does not hold the model for the whole of them.
CHUNK = 256


class Decoder:
    """A causal language model with the cache of what it read last. Not thread-safe: one caller at a time."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._forget()

    def _forget(self) -> None:
        self._cache = DynamicCache(config=self._model.config)
        self._ids: list[int] = []

    def read(self, ids: Sequence[int], cancelled: Callable[[], bool]) -> torch.Tensor | None:
        """Read a whole prompt and return the scores of the next token, shape (1, vocabulary); None if cancelled."""
        # The last token is always computed again: its scores are what the caller wants.
        known = min(_common_prefix(self._ids, ids), len(ids) - 1)
        if known < len(self._ids):
            self._cache.crop(known - len(self._ids))  # a negative number: tokens to take off the end
            self._ids = self._ids[:known]
        scores = None
        for start in range(known, len(ids), CHUNK):
            if cancelled():
                return None
            scores = self._forward(ids[start : start + CHUNK])
        return scores

    def step(self, token: int) -> torch.Tensor:
        """Append one token and return the scores of the next, shape (1, vocabulary)."""
        return self._forward([token])

    @torch.inference_mode()
    def _forward(self, ids: Sequence[int]) -> torch.Tensor:
        batch = torch.tensor([list(ids)], device=self._model.device)
        try:
            # logits_to_keep: the scores over the vocabulary are the dearest part of a small model's prompt.
            out = self._model(input_ids=batch, past_key_values=self._cache, use_cache=True, logits_to_keep=1)
        except BaseException:
            # Half-written layers would answer the next person with this one's words.
            self._forget()
            raise
        self._ids += ids
        scores: torch.Tensor = out.logits[:, -1].float()
        return scores


def _common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
