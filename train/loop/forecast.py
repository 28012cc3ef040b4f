"""What a training will take, said before it starts.

Memory by the model of train.loop.memory_estimate, time by a measured pass.
"""

from __future__ import annotations

from collections.abc import Sequence

import psutil  # type: ignore[import-untyped]

from train.data.dialogues import Encoded
from train.loop import memory_estimate
from train.loop.callbacks import duration
from train.model.loss import CHUNK_BYTES
from train.recipe import Recipe

# A pass forward costs 1, backward through frozen layers and adapters about 1.5 down to the lowest adapter,
# checkpointing a second pass forward through the same layers.
BACKWARD, AGAIN = 1.5, 1.0


def largest_batch(rows: Sequence[Encoded], recipe: Recipe) -> tuple[int, int]:
    """Return the tokens, and the counted tokens, of the largest batch that the rows can make."""
    longest = sorted((len(r.input_ids) for r in rows), reverse=True)[: recipe.batch_size]
    counts = (sum(r.loss_mask) if recipe.loss_on == "replies" else len(r.input_ids) for r in rows)
    counted = sum(sorted(counts, reverse=True)[: recipe.batch_size])
    return (recipe.batch_size * recipe.max_length if recipe.layout == "padded" else sum(longest)), counted


def memory_lines(
    shape: memory_estimate.Shape | None, rows: Sequence[Encoded], recipe: Recipe, device: str
) -> list[str]:
    """Say how much memory the largest batch will take, how much is free, and what would make it fit if it does not."""
    if shape is None:
        return ["Memory: not estimated, this base is not shaped like Llama or Qwen2"]
    tokens, counted = largest_batch(rows, recipe)
    needed = memory_estimate.estimate(shape, recipe, tokens, counted, device, CHUNK_BYTES)
    free = free_bytes(device)
    lines = [f"Memory: about {needed} for a batch of {tokens:,} tokens; {free / 1e9:.1f} GB free"]
    if needed.total > free:
        fits = memory_estimate.what_would_fit(shape, recipe, tokens, counted, device, CHUNK_BYTES, free)
        lines.append(
            f"  That is more than there is. {fits}. It is tried all the same; batches are halved when memory runs out."
        )
    return lines


def free_bytes(device: str) -> float:
    """Return the memory that the device has left."""
    if device == "cuda":
        import torch

        return float(torch.cuda.mem_get_info()[0])
    return float(psutil.virtual_memory().available)


def time_line(
    rows: Sequence[Encoded], measured: Sequence[Encoded], seconds: float, recipe: Recipe, evaluations: int
) -> str:
    """Say how long the training will take, from the seconds that measuring the base on ``measured`` rows took."""
    by_token = seconds / sum(len(r.input_ids) for r in measured)
    length = sum(len(r.input_ids) for r in rows)
    if recipe.layout == "padded":
        length = len(rows) * recipe.max_length
    cost = 1 + recipe.lora_upper_layers * (BACKWARD + (AGAIN if recipe.checkpointing else 0))
    steps = by_token * length * recipe.epochs * cost
    total = steps + evaluations * seconds
    line = f"Time: about {duration(total)} for {recipe.epochs:g} epochs with {evaluations} evaluations"
    if recipe.max_minutes is not None and total > 60 * recipe.max_minutes:
        share = 60 * recipe.max_minutes / total
        line += f"; the {recipe.max_minutes:g} minutes of `max_minutes` end it after about {share:.0%} of that"
    return line
