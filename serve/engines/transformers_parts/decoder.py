"""Token ids in, next-token scores out, for several sequences at once. Knows nothing of text, chats or sampling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from curation.errors import UsageError
from serve.engines.transformers_parts.kv_cache import KVCache


class Decoder:
    """A causal language model over a :class:`KVCache`. Not thread-safe: one caller at a time.

    Where the model is shared with other decoders, ``turn`` gives this one the model, with its adapter, for a step.
    """

    def __init__(
        self,
        model: Any,
        slots: int,
        pool: int,
        context: int,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._model = model
        self._turn = turn
        self.cache = KVCache(len(_layers(model.config)), slots, pool, context)

    def read(self, row: int, ids: Sequence[int]) -> torch.Tensor:
        """Read ids after those that a row holds; return the scores of the next token, shape (1, vocabulary)."""
        return self._forward(row, [ids])

    def step(self, first: int, tokens: Sequence[int]) -> torch.Tensor:
        """Append one token to each row from ``first``; return the next tokens' scores, shape (rows, vocabulary)."""
        return self._forward(first, [[token] for token in tokens])

    @torch.inference_mode()
    def _forward(self, first: int, batch: Sequence[Sequence[int]]) -> torch.Tensor:
        device, tokens = self._model.device, len(batch[0])
        starts = [self.cache.length(first + i) for i in range(len(batch))]
        self.cache.prepare(first, starts, tokens, device)
        ends = torch.tensor(starts, device=device)[:, None] + tokens
        # Rows of equal length need no mask, and the kernels are quicker without one.
        uneven = len(set(starts)) > 1
        with self._turn():
            out = self._model(
                input_ids=torch.tensor([list(ids) for ids in batch], device=device),
                position_ids=ends + torch.arange(-tokens, 0, device=device),
                attention_mask=(torch.arange(max(starts) + tokens, device=device) < ends).long() if uneven else None,
                past_key_values=self.cache,
                use_cache=True,
                # The scores over the vocabulary are the most expensive part of reading a prompt with a small model.
                logits_to_keep=1,
            )
        self.cache.append(first, batch)
        # Sampling runs on the CPU, one answer after another; the scores leave the GPU in one copy.
        scores: torch.Tensor = out.logits[:, -1].float().cpu()
        return scores


def longest(config: Any) -> int | None:
    """Return how many tokens a row may have with this model, or None where its layers set no bound.

    A sliding-window layer equals a full one as long as the conversation fits into the window. Raises UsageError for a
    model whose layers keep anything but the keys and values of each token.
    """
    layers = _layers(config)
    strange = sorted({type(x).__name__ for x in layers if type(x) not in (DynamicLayer, DynamicSlidingWindowLayer)})
    if strange:
        raise UsageError(
            f"a model of the type {config.model_type!r} keeps its past in {', '.join(strange)}, which the engine "
            "`transformers` cannot share between several answers. Serve it with --engine llamacpp or --engine openai."
        )
    return min((x.sliding_window for x in layers if x.is_sliding), default=None)


def _layers(config: Any) -> list[Any]:
    layers: list[Any] = DynamicCache(config=config).layers
    return layers
