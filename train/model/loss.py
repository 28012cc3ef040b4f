"""The loss of each counted token, computed in chunks, so that the logits of all tokens never exist at once.

In: a model and a batch of train.data.batches. Out: losses, and in the backward pass their gradients for the hidden
states. What a model does between its hidden states and its logits (scales, caps, a bias) is left to its own forward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from weakref import WeakSet

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from train.data.batches import IGNORE, Batch

# The size of the fp32 logits that are made at once; their log-softmax is as large again. Larger chunks were not faster,
# docs/experiments/2026-11-28-figures-from-code-comments.md.
CHUNK_BYTES = 16 * 2**20

# Models whose logits are computed at once, since train.model.loss_check found that their chunks give another loss.
AT_ONCE: WeakSet[torch.nn.Module] = WeakSet()


def causal_model(model: Any) -> Any:
    """Return transformers' model without the wrappers of accelerate (many processes) and peft."""
    inner = getattr(model, "module", model)
    return inner.get_base_model() if hasattr(inner, "get_base_model") else inner


def token_losses(model: Any, batch: Batch, chunk_bytes: int = CHUNK_BYTES) -> torch.Tensor:
    """Return the loss of each counted token, ``[N]`` in fp32, in the order of ``batch["labels"] != -100``.

    Logits are computed at these N positions only. Most tokens of a dialogue are prompt, and a vocabulary of logits for
    each of them would be the largest tensor of the step.
    """
    keep = batch["labels"] != IGNORE
    targets = batch["labels"][keep]
    inputs = {k: v for k, v in batch.items() if k not in ("labels", "row")}
    causal = causal_model(model)
    body, head = causal.base_model, causal.get_output_embeddings()
    if causal in AT_ONCE or body is causal or head is None or head.weight.requires_grad:
        logits = model(**inputs, use_cache=False).logits[keep]
        return functional.cross_entropy(logits.float(), targets, reduction="none")
    output = _output_of_body(model, body, inputs)
    hidden = output.last_hidden_state[keep].to(head.weight.dtype)

    def logits_of(h: torch.Tensor) -> torch.Tensor:
        """Return the logits ``[n, V]`` of hidden states ``[n, H]`` by the model's own forward after its body."""
        with _answering(body, type(output)(**{**output, "last_hidden_state": h[None]})):
            logits: torch.Tensor = causal(input_ids=inputs["input_ids"], use_cache=False).logits
        return logits[0]

    apply: Any = _InChunks.apply  # it has no types
    return cast(torch.Tensor, apply(hidden, logits_of, targets, positions_at_once(len(head.weight), chunk_bytes)))


def positions_at_once(vocabulary: int, chunk_bytes: int = CHUNK_BYTES) -> int:
    """Return the number of positions whose fp32 logits fit into ``chunk_bytes``."""
    return max(1, chunk_bytes // (4 * vocabulary))


class _InChunks(torch.autograd.Function):
    """Cross-entropy of ``logits_of(hidden)`` with gradients for ``hidden`` alone, computed in the forward pass.

    The gradient of a token's loss by its hidden state is known as soon as its logits are, and with a frozen head
    nothing else needs the logits. So they are neither kept nor computed twice.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        logits_of: Callable[[torch.Tensor], torch.Tensor],
        targets: torch.Tensor,
        positions: int,
    ) -> torch.Tensor:
        wanted = ctx.needs_input_grad[0]
        found: list[torch.Tensor] = []
        gradients: list[torch.Tensor] = []
        for part, target in zip(torch.split(hidden, positions), torch.split(targets, positions), strict=True):
            with torch.set_grad_enabled(wanted):
                h = part.detach().requires_grad_(wanted)
                losses = functional.cross_entropy(logits_of(h).float(), target, reduction="none")
                if wanted:
                    gradients += torch.autograd.grad(losses.sum(), h)
            found.append(losses.detach())
        if wanted:
            ctx.save_for_backward(torch.cat(gradients))
        return torch.cat(found)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, d_losses: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradients,) = ctx.saved_tensors
        return gradients * d_losses[:, None].to(gradients.dtype), None, None, None


def _output_of_body(model: Any, body: torch.nn.Module, inputs: Batch) -> Any:
    """Run the model's own forward, so that the wrappers and hooks of peft and accelerate run; return its body's output.

    The head receives no position at all.
    """
    outputs: list[Any] = []

    def keep_all_but_pass_none(module: Any, arguments: Any, output: Any) -> Any:
        outputs.append(output)
        return type(output)(**{**output, "last_hidden_state": output.last_hidden_state[:, :0]})

    hook = body.register_forward_hook(keep_all_but_pass_none)
    try:
        model(**inputs, use_cache=False)
    finally:
        hook.remove()
    if not outputs:
        raise RuntimeError(f"{type(body).__name__} is not called as a whole")
    return outputs[0]


@contextmanager
def _answering(body: Any, output: Any) -> Iterator[None]:
    """Have the model's body return ``output`` without computing anything."""
    # patch: own-head
    before = vars(body).get("forward")
    body.forward = lambda *args, **kwargs: output
    try:
        yield
    finally:
        if before is None:
            del body.forward
        else:
            body.forward = before
