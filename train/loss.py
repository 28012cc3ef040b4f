"""The training loss: cross-entropy of the counted tokens, a chunk of the vocabulary's rows at a time.

In: a model and a batch of train.batches. Out: the loss of each counted token.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from train.batches import IGNORE, Batch
from train.scoring import token_losses

# Logits of so many bytes are made at once (in fp32; their softmax and its gradient are as large again). SmolLM2's
# 49,152 words fit 341 positions into that, more than a batch of 4 has; Qwen2.5's 151,936 fit 110.
CHUNK_BYTES = 64 * 2**20


def training_losses(model: Any, batch: Batch, chunk_bytes: int = CHUNK_BYTES) -> torch.Tensor:
    """Return the loss of each counted token, ``[N]`` in fp32, as :func:`train.scoring.token_losses` does.

    Where the logits of all N positions would take more than ``chunk_bytes``, they are made, used and forgotten in
    parts, and made again for the backward pass: one projection more, and memory for one part instead of all.
    """
    keep = batch["labels"] != IGNORE
    head = getattr(model, "module", model).get_output_embeddings()  # `module`: accelerate's wrapper for many processes
    chunk = positions_at_once(head.weight.shape[0], chunk_bytes)
    if int(keep.sum()) <= chunk:
        return token_losses(model, batch)
    inputs = {k: v for k, v in batch.items() if k not in ("labels", "row")}
    # The model's own forward, so that wrappers and hooks of peft and accelerate are passed; only its last layer, the
    # projection on the vocabulary, hands through what it gets.
    owner = _owner(model, head)
    owner.lm_head = torch.nn.Identity()
    try:
        hidden = model(**inputs, logits_to_keep=keep, use_cache=False).logits
    finally:
        owner.lm_head = head
    targets = batch["labels"][keep]
    hidden = hidden.reshape(-1, hidden.shape[-1])
    parts = [
        checkpoint(_part, h, t, head, use_reentrant=False)
        for h, t in zip(torch.split(hidden, chunk), torch.split(targets, chunk), strict=True)
    ]
    return torch.cat(parts)


def positions_at_once(vocabulary: int, chunk_bytes: int = CHUNK_BYTES) -> int:
    """Return for how many positions the fp32 logits fit into ``chunk_bytes``."""
    return max(1, chunk_bytes // (4 * vocabulary))


def _part(hidden: torch.Tensor, targets: torch.Tensor, head: Any) -> torch.Tensor:
    logits = head(hidden.to(head.weight.dtype))
    return functional.cross_entropy(logits.float(), targets, reduction="none")


def _owner(model: Any, head: Any) -> Any:
    return next(m for m in model.modules() if getattr(m, "lm_head", None) is head and "lm_head" in m._modules)
