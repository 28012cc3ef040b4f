"""Two steps with the longest rows, and what they say of the whole training: `inosuke train --check`.

In: an export, a recipe and a base. Out: a :class:`Trial`. Loads, measures and trains with the code of a training; what
it learns is thrown away.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import set_seed

from curation.console import duration
from train.data import batches
from train.data.dialogues import Encoded, Export
from train.loop import forecast, memory_estimate, preparation
from train.loop.callbacks import Budget, Recorder, evaluation_steps
from train.loop.memory_use import peak_bytes, reset_peak, whole_bytes
from train.loop.steps import Say, Trainers, collator, run_steps
from train.loop.trainer import measure
from train.model.base_model import BaseModel
from train.model.copies import Copies, copies_of
from train.model.load import device, load_config, tokenizer_of
from train.model.loss import CHUNK_BYTES
from train.model.loss_check import prove_loss
from train.model.scoring import EVAL_ROWS
from train.progress import quiet_libraries
from train.recipe import Recipe

STEPS = 2  # the first one also fills caches and chooses kernels
SAMPLED = 64  # batches, to know how many tokens an epoch has


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the trial measured, and the forecast that follows. Times are in seconds, memory in bytes.

    ``batch_size`` is smaller than the recipe's where memory ran out; ``batch_tokens`` is its largest batch.
    ``modelled_bytes`` is what the estimate says before a training; None for a shape that it does not know.
    """

    recipe: str
    base: str
    quantization: str
    precision: str
    batch_size: int
    wanted_batch_size: int
    batch_tokens: int
    peak_bytes: int
    whole_bytes: int
    modelled_bytes: int | None
    tokens_a_second: float
    step: float
    epoch: float
    evaluation: float
    evaluations: int
    epochs: float
    whole: float
    max_minutes: float | None

    def text(self) -> str:
        """Return the lines that the command prints."""
        modelled = f"; the estimate was {self.modelled_bytes / 1e9:.1f}" if self.modelled_bytes else ""
        batch = f"{self.batch_size} row{'' if self.batch_size == 1 else 's'}, {self.batch_tokens:,} tokens"
        if self.batch_size < self.wanted_batch_size:
            batch += f" ({self.wanted_batch_size} rows, as in the recipe, do not fit)"
        lines = [
            f"Check of recipe {self.recipe} on {self.base} ({self.quantization}, {self.precision}); nothing was kept",
            f"  largest batch   {batch}",
            f"  peak memory     {self.peak_bytes / 1e9:.1f} of {self.whole_bytes / 1e9:.1f} GB{modelled}",
            f"  speed           {self.tokens_a_second:,.0f} tokens a second, a step of the longest rows in "
            f"{self.step:.1f} s",
            f"  an epoch        about {duration(self.epoch)}, an evaluation {duration(self.evaluation)}",
            f"  the whole run   about {duration(self.whole)}: {self.epochs:g} epochs, {self.evaluations} evaluations",
        ]
        if self.max_minutes is not None and self.whole > 60 * self.max_minutes:
            share = 60 * self.max_minutes / self.whole
            lines.append(f"                  `max_minutes` = {self.max_minutes:g} ends it after about {share:.0%}")
        return "\n".join(lines)


def try_out(export: Export, recipe: Recipe, base: BaseModel, say: Say) -> Trial:
    """Train two steps with the longest rows and measure the longest eval rows. Writes only into a temporary folder.

    Raises InosukeError as a training does: when no row fits, when trained ids would not be served ids, when the base
    overflows, when not even one row fits into the memory, or when the base cannot be loaded.
    """
    quiet_libraries()
    set_seed(recipe.seed)
    reset_peak()
    tokenizer = tokenizer_of(base, recipe)
    rows = preparation.encode_rows(export, tokenizer, recipe)
    preparation.prove_same_ids(export, tokenizer, recipe, say)
    schedule = preparation.plan_steps(recipe, len(rows.train), 1)
    step_rows = longest(rows.train, schedule.rows_a_step)
    measured = longest(rows.validation, EVAL_ROWS)
    model = preparation.load_model(base, recipe, rows, say)
    recipe = prove_loss(model, [*rows.train, *rows.eval], recipe, say)
    say(f"Measuring the base on {len(measured)} eval rows")
    with model.disable_adapter():
        preparation.check_base(measure(model, measured, tokenizer, "Base"), base, recipe)
    copies = copies_of(model, recipe)
    say(f"Training {STEPS} steps with the longest rows, of {min(recipe.batch_size, len(step_rows))} in a batch")
    budget = Budget(recipe.warmup)
    recorder = Recorder(budget, len(step_rows), schedule.rows_a_step, {STEPS}, total_steps=STEPS, shown=False)
    with tempfile.TemporaryDirectory(prefix="inosuke-check-") as folder:
        trainers = Trainers(
            model=model,
            tokenizer=tokenizer,
            recipe=recipe,
            train_rows=step_rows,
            eval_rows=measured,
            folder=Path(folder),
            total_steps=STEPS,
            budget=budget,
            recorder=recorder,
            watchers=[],
            copies=copies,
        )
        budget.start()
        diverged, size = run_steps(trainers, say)
    if diverged is not None:
        raise diverged
    first, last = recorder.steps
    step = last.seconds - first.seconds
    speed = sum(tokens_of_batches(step_rows, recipe, size, copies)) / step
    epoch = tokens_of_epoch(rows.train, recipe, size, copies) / speed
    share = tokens_of_epoch(rows.validation, recipe, EVAL_ROWS) / tokens_of_epoch(measured, recipe, EVAL_ROWS)
    evaluation = (recorder.evaluations[-1].seconds - last.seconds) * share
    evaluations = len(evaluation_steps(schedule.steps_per_epoch, schedule.total_steps, recipe.evals_per_epoch))
    shape = memory_estimate.shape_of(load_config(base))
    largest = forecast.largest_batch(rows.train, recipe)
    modelled = memory_estimate.estimate(shape, recipe, *largest, device().kind, CHUNK_BYTES).total if shape else None
    return Trial(
        recipe=recipe.name,
        base=base.name,
        quantization=recipe.quantization,
        precision=recipe.precision,
        batch_size=size,
        wanted_batch_size=recipe.batch_size,
        batch_tokens=max(tokens_of_batches(step_rows, recipe, size)),
        peak_bytes=peak_bytes(),
        whole_bytes=whole_bytes(),
        modelled_bytes=None if modelled is None else int(modelled),
        tokens_a_second=speed,
        step=step,
        epoch=epoch,
        evaluation=evaluation,
        evaluations=evaluations,
        epochs=recipe.epochs,
        whole=epoch * schedule.total_steps / schedule.steps_per_epoch + evaluations * evaluation,
        max_minutes=recipe.max_minutes,
    )


def longest(rows: Sequence[Encoded], count: int) -> list[Encoded]:
    """Return the longest rows; they are also the largest batches that the rows can make."""
    return sorted(rows, key=lambda r: len(r.input_ids), reverse=True)[:count]


def tokens_of_epoch(rows: Sequence[Encoded], recipe: Recipe, size: int, copies: Copies | None = None) -> float:
    """Return how many tokens are computed for all rows in batches of ``size``, from a sample of the batches."""
    count = min(len(rows), SAMPLED * size)
    chosen = random.Random(recipe.seed).sample(list(rows), count)  # noqa: S311
    return sum(tokens_of_batches(chosen, recipe, size, copies)) * len(rows) / count


def tokens_of_batches(
    rows: Sequence[Encoded], recipe: Recipe, size: int, copies: Copies | None = None
) -> Iterator[int]:
    """Yield how many tokens each batch has. A packed one, or a copy's part of it, holds a common beginning once."""
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        if recipe.layout == "padded":
            yield len(batch) * recipe.max_length
        else:
            yield batches.token_count(collator(recipe, None, copies)(batch))
