"""Measures how long a training dialogue takes on this machine: to forecast a training, and to fill minutes."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from accelerate.utils import send_to_device

from train.data.dialogues import Encoded
from train.loop.trainer import random_state, set_random_state
from train.model.copies import Copies, summed_loss
from train.model.out_of_memory import halving
from train.recipe import Recipe

BATCHES, SECONDS = 12, 15.0  # measured at most; the first batch, which fills caches, is not counted
# The share of the minutes that is planned for. The optimiser is not measured, and a machine is not always as quick.
PLANNED = 0.9


def seconds_a_row(
    model: Any,
    rows: Sequence[Encoded],
    recipe: Recipe,
    collate: Callable[[Sequence[Encoded]], Any],
    copies: Copies | None = None,
) -> float:
    """Return the seconds that forward and backward take for a row. Leaves weights and random generators as they are."""
    state = random_state()
    order = random.Random(recipe.seed).sample(list(rows), len(rows))  # noqa: S311

    def measured(size: int) -> float:
        begun, done = 0.0, 0
        for number in range(1 + min(BATCHES, math.ceil(len(order) / size))):
            if number == 1:
                begun = time.monotonic()
            batch = [order[(number * size + i) % len(order)] for i in range(size)]
            loss: Any = summed_loss(model, send_to_device(collate(batch), model.device), copies)
            loss.backward()
            done += size if number else 0
            if number and time.monotonic() - begun >= SECONDS:
                break
        return (time.monotonic() - begun) / done

    was_training = model.training
    model.train()
    try:
        return halving(recipe.batch_size, measured)
    finally:
        model.zero_grad(set_to_none=True)
        model.train(was_training)
        set_random_state(state)


def epochs_that_fit(recipe: Recipe, rows: int, a_row: float, an_evaluation: float, seconds: float) -> float:
    """Return the epochs that fit into ``seconds``: no fewer than the recipe's `epochs`, at most its `max_epochs`."""
    an_epoch = rows * a_row + recipe.evals_per_epoch * an_evaluation
    fitting = PLANNED * seconds / max(an_epoch, 1e-6)
    return max(recipe.epochs, min(fitting, recipe.max_epochs or recipe.epochs))
