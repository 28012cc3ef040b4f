"""A forecast of memory and time, printed before a training starts.

Memory comes from train.loop.memory_estimate, time from train.loop.speed.
"""

from __future__ import annotations

from collections.abc import Sequence

import psutil  # type: ignore[import-untyped]

from curation.console import duration
from train.data.dialogues import Encoded
from train.loop import memory_estimate
from train.model.generate import BATCH, MAX_NEW_TOKENS
from train.model.loss import CHUNK_BYTES
from train.recipe import Recipe

# A forward pass costs 1. The backward pass through frozen layers and adapters costs about 1.5, down to the lowest
# adapter. Checkpointing adds a second forward pass through the same layers.
BACKWARD, RECOMPUTED = 1.5, 1.0


def largest_batch(rows: Sequence[Encoded], recipe: Recipe) -> tuple[int, int]:
    """Return the tokens, and the tokens in the loss, of the largest batch that the rows can make."""
    longest = sorted((len(r.input_ids) for r in rows), reverse=True)[: recipe.batch_size]
    counts = (sum(r.loss_mask) if recipe.loss_on == "replies" else len(r.input_ids) for r in rows)
    counted = sum(sorted(counts, reverse=True)[: recipe.batch_size])
    return (recipe.batch_size * recipe.max_length if recipe.layout == "padded" else sum(longest)), counted


def memory_lines(
    shape: memory_estimate.Shape | None, rows: Sequence[Encoded], recipe: Recipe, device: str
) -> list[str]:
    """Return lines about the memory of the largest batch, the free memory, and a change that would make it fit."""
    if shape is None:
        return ["Memory: not estimated for a base of this shape; `inosuke train --check` measures it"]
    tokens, counted = largest_batch(rows, recipe)
    needed = memory_estimate.estimate(shape, recipe, tokens, counted, device, CHUNK_BYTES)
    free = free_bytes(device)
    lines = [f"Memory: about {needed} for a batch of {tokens:,} tokens; {free / 1e9:.1f} GB free"]
    longest = max(len(r.input_ids) for r in rows) + MAX_NEW_TOKENS
    answering = memory_estimate.answering_bytes(shape, recipe, BATCH, longest, needed, device)
    if recipe.samples and answering > max(needed.total, free):
        lines.append(f"  Its sample answers would take {answering / 1e9:.1f} GB; fewer are made at once if need be.")
    if needed.total > free:
        fits = memory_estimate.what_would_fit(shape, recipe, tokens, counted, device, CHUNK_BYTES, free)
        lines.append(
            f"  That is more than there is. {fits}. The training starts anyway; it halves batches if memory runs out."
        )
    return lines


def free_bytes(device: str) -> float:
    """Return the free memory of the device."""
    if device == "cuda":
        import torch

        return float(torch.cuda.mem_get_info()[0])
    return float(psutil.virtual_memory().available)


def cost_of_a_step(recipe: Recipe) -> float:
    """Return how many times as long a token takes in a step as in an evaluation."""
    return 1 + recipe.lora_upper_layers * (BACKWARD + (RECOMPUTED if recipe.checkpointing else 0))


def expected_speed(measured: Sequence[Encoded], seconds: float, recipe: Recipe) -> float:
    """Return the tokens a second of the steps, from the seconds that the base took on the ``measured`` rows."""
    return sum(len(r.input_ids) for r in measured) / max(seconds, 1e-3) / cost_of_a_step(recipe)


def time_line(rows: int, a_row: float, an_evaluation: float, recipe: Recipe, evaluations: int) -> str:
    """Return a line about the time of a training on ``rows`` rows; ``a_row`` and ``an_evaluation`` are seconds."""
    total = rows * recipe.epochs * a_row + evaluations * an_evaluation
    line = f"Time: about {duration(total)} for {recipe.epochs:g} epochs with {evaluations} evaluations"
    if recipe.max_minutes is not None and total > 60 * recipe.max_minutes:
        share = 60 * recipe.max_minutes / total
        line += f"; the ceiling of {recipe.max_minutes:g} minutes ends it after about {share:.0%} of that"
    return line
