"""The loss of each counted token, a part of them at a time, so that a vocabulary of logits is never there for all.

In: a model and a batch of train.data.batches. Out: losses, and for the backward pass what they say to the hidden
states.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from train.data.batches import IGNORE, Batch

# Logits of so many bytes are made at once (in fp32; their log-softmax is as large again). Parts of 16 to 64 MB took
# the same time; SmolLM2's 49,152 words fit 85 positions into 16 MB, Qwen2.5's 151,936 fit 27.
CHUNK_BYTES = 16 * 2**20


def token_losses(model: Any, batch: Batch, chunk_bytes: int = CHUNK_BYTES) -> torch.Tensor:
    """Return the loss of each counted token, ``[N]`` in fp32, in the order of ``batch["labels"] != -100``.

    The vocabulary is projected at these N positions only: in a dialogue most tokens are prompt, and a row of 49,152
    (SmolLM2) or 151,936 (Qwen2.5) logits for each of them would be the largest tensor of the step.
    """
    keep = batch["labels"] != IGNORE
    targets = batch["labels"][keep]
    inputs = {k: v for k, v in batch.items() if k not in ("labels", "row")}
    head = getattr(model, "module", model).get_output_embeddings()  # `module`: accelerate's wrapper for many processes
    if not isinstance(head, torch.nn.Linear) or head.weight.requires_grad:
        # A trained output layer needs gradients of its own.
        logits = model(**inputs, logits_to_keep=keep, use_cache=False).logits
        return functional.cross_entropy(logits.float().flatten(0, -2), targets, reduction="none")
    # The model's own forward, so that wrappers and hooks of peft and accelerate are passed; only its last layer, the
    # projection on the vocabulary, hands through what it gets.
    owner = _owner(model, head)
    owner.lm_head = torch.nn.Identity()
    try:
        hidden = model(**inputs, logits_to_keep=keep, use_cache=False).logits
    finally:
        owner.lm_head = head
    hidden = hidden.reshape(-1, hidden.shape[-1]).to(head.weight.dtype)
    apply: Any = _FrozenHead.apply  # it has no types
    return cast(torch.Tensor, apply(hidden, head, targets, positions_at_once(head.out_features, chunk_bytes)))


def positions_at_once(vocabulary: int, chunk_bytes: int = CHUNK_BYTES) -> int:
    """Return for how many positions the fp32 logits fit into ``chunk_bytes``."""
    return max(1, chunk_bytes // (4 * vocabulary))


class _FrozenHead(torch.autograd.Function):
    """Cross-entropy of ``head(hidden)`` with gradients for hidden alone, made in the forward pass, part by part.

    A loss's gradient by its own logits, softmax less the target, is known as soon as the logits are; with a frozen head
    nothing else needs them. So they are neither kept nor made twice, as checkpointing would have it.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, head: torch.nn.Linear, targets: torch.Tensor, rows: int
    ) -> torch.Tensor:
        wanted = ctx.needs_input_grad[0]
        losses, gradients = [], []
        for h, target in zip(torch.split(hidden, rows), torch.split(targets, rows), strict=True):
            logs = functional.linear(h, head.weight, head.bias).float().log_softmax(dim=-1)
            losses.append(functional.nll_loss(logs, target, reduction="none"))
            if wanted:
                d_logits = logs.exp_()
                d_logits[torch.arange(len(target), device=target.device), target] -= 1
                gradients.append(d_logits.to(head.weight.dtype) @ head.weight)
        if wanted:
            ctx.save_for_backward(torch.cat(gradients))
        return torch.cat(losses)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, d_losses: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradients,) = ctx.saved_tensors
        return gradients * d_losses[:, None].to(gradients.dtype), None, None, None


def _owner(model: Any, head: Any) -> Any:
    return next(m for m in model.modules() if getattr(m, "lm_head", None) is head and "lm_head" in m._modules)
