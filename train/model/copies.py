"""One step on several threads: copies of a model that share its weights, each with a part of the batch.

With one model, threads share every single product and wait for each other hundreds of times a step, which costs a
third of the time of a small model. With a copy each they meet once, at the end. See
docs/experiments/2026-12-01-a-thread-a-part.md.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import chain
from threading import Barrier
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from train.data.batches import Batch
from train.model.load import device
from train.model.loss import AT_ONCE, causal_model, token_losses
from train.recipe import Recipe


def copies_of(model: Any, recipe: Recipe, processes: int = 1) -> Copies | None:
    """Return a copy for each of torch's threads, or for each row of a batch if that is fewer; None where one is better.

    Several processes share a batch already. Dropout and checkpointing take random numbers from one generator, so with
    threads no training would repeat another.
    """
    count = min(torch.get_num_threads(), recipe.batch_size)
    alone = device().kind == "cpu" and processes == 1
    plain = recipe.quantization == "none" and recipe.lora_dropout == 0 and not recipe.checkpointing
    return Copies(model, count) if count > 1 and alone and plain and recipe.layout == "packed" else None


def summed_loss(model: Any, batch: Batch, copies: Copies | None) -> torch.Tensor:
    """Return the summed loss of a batch's counted tokens; the ``parts`` of one that has them go to the copies."""
    if "parts" not in batch:
        return token_losses(model, batch).sum()
    if copies is None:
        raise ValueError("a batch in parts needs copies of the model")
    return copies.summed_loss(batch["parts"])


class Copies:
    """``count`` modules with the same tensors as ``model``, which is the first of them, and a thread for each.

    torch's threads are divided among them. The threads end when nothing holds this object any more.
    """

    def __init__(self, model: Any, count: int) -> None:
        self.count = count
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        tensors = {id(x): x for x in chain(model.parameters(), model.buffers())}
        # The memo makes deepcopy take the tensors as they are. Modules are new, since a forward hangs hooks on them.
        others = [copy.deepcopy(model, dict(tensors)) for _ in range(count - 1)]
        if causal_model(model) in AT_ONCE:
            AT_ONCE.update(map(causal_model, others))
        self._models = [model, *others]
        threads, together = torch.get_num_threads(), Barrier(count)
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="copy")

        def divide(_: int) -> None:
            torch.get_num_threads()  # what torch does first in a thread sets it to the number for all
            torch.set_num_threads(max(1, threads // count))
            together.wait()

        list(self._pool.map(divide, range(count)))
        # It also sets what threads take that begin later.
        torch.set_num_threads(threads)

    def summed_loss(self, parts: Sequence[Batch]) -> torch.Tensor:
        """Return the summed loss of at most ``count`` batches. Its gradients are known as soon as it is."""
        found: torch.Tensor = _Summed.apply(self, parts, *self._parameters)  # type: ignore[no-untyped-call]
        return found

    def losses_and_gradients(self, parts: Sequence[Batch]) -> list[tuple[torch.Tensor, tuple[Any, ...]]]:
        """Return each part's summed loss and the gradients of all trained tensors (None: the loss knows it not)."""

        def work(model: Any, part: Batch) -> tuple[torch.Tensor, tuple[Any, ...]]:
            with torch.enable_grad():
                loss = token_losses(model.train(), part).sum()
                return loss.detach(), torch.autograd.grad(loss, self._parameters, allow_unused=True)

        begun = [self._pool.submit(work, *pair) for pair in zip(self._models, parts, strict=False)]
        # When memory runs out for one, the others have to be done before anybody tries again.
        wait(begun)
        return [one.result() for one in begun]


class _Summed(torch.autograd.Function):
    """The summed loss of parts, with gradients that were computed in the forward pass, where the threads are."""

    @staticmethod
    def forward(ctx: Any, copies: Copies, parts: Sequence[Batch], *parameters: torch.Tensor) -> torch.Tensor:
        done = copies.losses_and_gradients(parts)
        # Always in the order of the parts, so that a training repeats another to the last bit.
        ctx.gradients = [_total(gradients) for gradients in zip(*(g for _, g in done), strict=True)]
        return torch.stack([loss for loss, _ in done]).sum()

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, d_loss: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        scaled = (None if g is None else g * d_loss.to(g.dtype) for g in ctx.gradients)
        return None, None, *scaled


def _total(gradients: Sequence[torch.Tensor | None]) -> torch.Tensor | None:
    known = [g for g in gradients if g is not None]
    return torch.stack(known).sum(0) if known else None
