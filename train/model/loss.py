"""The loss of each counted token, computed in chunks, so that the logits of all tokens never exist at once.

In: a model and a batch of train.data.batches. Out: losses, and in the backward pass their gradients for the hidden
states.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from train.data.batches import IGNORE, Batch

# The size of the fp32 logits that are made at once; their log-softmax is as large again. Larger chunks were not faster,
# docs/experiments/2026-11-28-figures-from-code-comments.md.
CHUNK_BYTES = 16 * 2**20


def token_losses(model: Any, batch: Batch, chunk_bytes: int = CHUNK_BYTES) -> torch.Tensor:
    """Return the loss of each counted token, ``[N]`` in fp32, in the order of ``batch["labels"] != -100``.

    Logits are computed at these N positions only. Most tokens of a dialogue are prompt, and a vocabulary of logits for
    each of them would be the largest tensor of the step.
    """
    keep = batch["labels"] != IGNORE
    targets = batch["labels"][keep]
    inputs = {k: v for k, v in batch.items() if k not in ("labels", "row")}
    head = getattr(model, "module", model).get_output_embeddings()  # `module`: accelerate's wrapper for many processes
    if not isinstance(head, torch.nn.Linear) or head.weight.requires_grad:
        # A trained output layer needs its own gradients.
        logits = model(**inputs, logits_to_keep=keep, use_cache=False).logits
        return functional.cross_entropy(logits.float().flatten(0, -2), targets, reduction="none")
    # Call the model's own forward, so that the wrappers and hooks of peft and accelerate run; only its last layer, the
    # projection onto the vocabulary, is replaced by the identity.
    # patch: identity-head
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
    """Return the number of positions whose fp32 logits fit into ``chunk_bytes``."""
    return max(1, chunk_bytes // (4 * vocabulary))


class _FrozenHead(torch.autograd.Function):
    """Cross-entropy of ``head(hidden)`` with gradients for ``hidden`` alone, computed in the forward pass, in chunks.

    The gradient of the loss by the logits, softmax minus the target, is known as soon as the logits are, and with a
    frozen head nothing else needs the logits. So they are neither kept nor computed twice.
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
