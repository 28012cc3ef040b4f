"""The training itself: a base model in NF4, LoRA matrices on top, transformers' Trainer around them.

In: an export and a recipe. Out: ``adapter/`` and ``tokenizer/`` of a run, and a :class:`Result`. The same code runs on
a GPU and on a CPU.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, set_seed

from curation.console import duration
from curation.errors import InosukeError
from train.data.dialogues import Encoded, Export, encode, prompts
from train.distributed import ALONE, Processes
from train.loop.callbacks import Budget, History, Recorder, evaluation_steps
from train.loop.forecast import memory_lines, time_line
from train.loop.memory_estimate import shape_of
from train.loop.steps import Say, Trainers, run_steps
from train.loop.trainer import ADVICE, load_adapter_state, measure
from train.model.base_model import BaseModel
from train.model.generate import Reply, replies
from train.model.load import add_adapter, device, load_adapter, load_base, load_config, load_tokenizer, save_adapter
from train.model.scoring import Score
from train.progress import quiet_libraries
from train.recipe import Recipe
from train.run import checkpoint
from train.run.folder import NothingLearnt
from train.speedups import malloc


@dataclass(frozen=True, slots=True)
class Rows:
    """What is trained on and what is measured; ``left_out`` are the ids of the rows that are too long."""

    train: list[Encoded]
    eval: list[Encoded]
    left_out: list[str]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How many rows a step has (over all processes), and how many steps an epoch and the whole training have."""

    rows_a_step: int
    steps_per_epoch: int
    total_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the steps ended. ``seconds`` is wall-clock time, ``batch_size`` the last one, ``resumed`` whether a restart.

    ``stopped_because`` is empty when all steps were done.
    """

    stopped_because: str
    diverged: bool
    seconds: float
    batch_size: int
    resumed: bool


@dataclass(frozen=True, slots=True)
class Sampled:
    """A held-out prompt's last user turn and what base and adapter answered."""

    prompt: str
    base: Reply
    adapter: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything that reports need to know about a training that ended."""

    base_model: BaseModel
    rows: Rows
    schedule: Schedule
    trainable_parameters: int
    base: Score
    adapter: Score
    history: History
    ending: Ending
    samples: list[Sampled]


def train_adapter(
    export: Export,
    recipe: Recipe,
    base: BaseModel,
    folder: Path,
    say: Say,
    *,
    processes: Processes = ALONE,
    watchers: Sequence[TrainerCallback] = (),
    draw: Callable[[History], object] = lambda history: None,
) -> Result | None:
    """Train the (resolved) recipe's adapter into ``folder`` (``adapter/`` and ``tokenizer/``) and measure it.

    Where ``folder`` holds checkpoints, the training continues from the newest. ``watchers`` are further callbacks of
    the trainer; ``draw`` is called at each evaluation. Returns None in those processes of a distributed training that
    are not the first.

    Raises InosukeError when no row fits ``max_length``, when the loss becomes NaN before anything was learnt, when
    there is no memory for a single row, or when the base cannot be loaded.
    """
    quiet_libraries()
    budget = Budget(recipe.warmup, recipe.max_minutes)
    set_seed(recipe.seed)
    tokenizer = load_tokenizer(base.location)
    rows = _encode(export, tokenizer, recipe)
    schedule = _schedule(recipe, len(rows.train), processes.count)

    model = _load(base, recipe, rows, say)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    base_score, evaluation_seconds = _measure_base(model, rows, tokenizer, say)
    eval_steps = evaluation_steps(schedule.steps_per_epoch, schedule.total_steps, recipe.evals_per_epoch)
    _announce(recipe, rows, schedule, trainable, say)
    say(time_line(rows.train, rows.eval, evaluation_seconds, recipe, len(eval_steps)))

    recorder = Recorder(
        budget,
        len(rows.train),
        schedule.rows_a_step,
        eval_steps,
        patience=recipe.patience,
        checkpoint_minutes=recipe.checkpoint_minutes,
        on_evaluation=lambda: draw(_history(recorder, base_score)),
        shown=processes.is_first,
    )
    trainers = Trainers(
        model=model,
        tokenizer=tokenizer,
        recipe=recipe,
        train_rows=rows.train,
        eval_rows=rows.eval,
        folder=folder,
        total_steps=schedule.total_steps,
        budget=budget,
        recorder=recorder,
        watchers=watchers,
    )
    ending = _train(trainers, evaluation_seconds, say)
    best_step = recorder.best_step
    if best_step is None:
        raise NothingLearnt(f"no evaluation gave a finite loss. {ADVICE}")
    if not processes.is_first:
        return None

    load_adapter_state(model, checkpoint.read(checkpoint.path(folder, best_step))["adapter"])
    save_adapter(model, base, folder / "adapter")
    tokenizer.save_pretrained(folder / "tokenizer")
    say(f"Answering {recipe.samples} held-out prompts with base and adapter")
    answering = None if _answers_unquantised(recipe) else model
    del model, trainers  # there must never be two models in memory
    malloc.trim()
    return Result(
        base_model=base,
        rows=rows,
        schedule=schedule,
        trainable_parameters=trainable,
        base=base_score,
        adapter=recorder.scores[best_step],
        history=_history(recorder, base_score),
        ending=ending,
        samples=_samples(partial(_answering_model, answering, base, recipe, folder), tokenizer, export, recipe),
    )


def _encode(export: Export, tokenizer: Any, recipe: Recipe) -> Rows:
    encoded, left_out = [], []
    for name, rows, most in (
        ("train", export.train, recipe.max_train_rows),
        ("eval", export.eval, recipe.max_eval_rows),
    ):
        # A sorted export begins with one kind of sample, so the first rows are taken in a random, seeded order.
        chosen = random.Random(recipe.seed).sample(rows, min(most, len(rows))) if most else rows  # noqa: S311
        fitting, too_long = encode(chosen, tokenizer, export.persona, recipe.max_length, recipe.prompt)
        if not fitting:
            raise InosukeError(
                f"every {name} row is longer than `max_length` = {recipe.max_length} tokens. Raise it in the recipe."
            )
        encoded.append(fitting)
        left_out += too_long
    return Rows(encoded[0], encoded[1], left_out)


def _schedule(recipe: Recipe, rows: int, processes: int) -> Schedule:
    rows_a_step = recipe.batch_size * recipe.gradient_accumulation * processes
    steps_per_epoch = math.ceil(rows / rows_a_step)
    return Schedule(rows_a_step, steps_per_epoch, max(1, math.ceil(steps_per_epoch * recipe.epochs)))


def _load(base: BaseModel, recipe: Recipe, rows: Rows, say: Say) -> Any:
    """Load the base with fresh LoRA matrices, after a message about the memory that the training will take."""
    for line in memory_lines(shape_of(load_config(base)), rows.train, recipe, device().kind):
        say(line)
    say(f"Loading {base.name} ({recipe.quantization}, {recipe.precision}) on {device().kind}")
    model = add_adapter(load_base(base, recipe), base, recipe)
    malloc.trim()
    return model


def _measure_base(model: Any, rows: Rows, tokenizer: Any, say: Say) -> tuple[Score, float]:
    """Return the base's score on the eval rows and the seconds that an evaluation takes."""
    say(f"Measuring the base on {len(rows.eval)} eval rows")
    started = time.monotonic()
    with model.disable_adapter():
        score = measure(model, rows.eval, tokenizer, "Base")
    seconds = time.monotonic() - started
    malloc.trim()
    return score, seconds


def _announce(recipe: Recipe, rows: Rows, schedule: Schedule, trainable: int, say: Say) -> None:
    limit = f", at most {recipe.max_minutes:g} minutes from the start" if recipe.max_minutes else ""
    say(f"Training {trainable / 1e6:.1f} M parameters on {len(rows.train)} rows, {recipe.epochs:g} epochs{limit}")
    targets = recipe.lora_targets if isinstance(recipe.lora_targets, str) else ", ".join(recipe.lora_targets)
    say(
        f"  {recipe.layout} batches of {schedule.rows_a_step}, learning rate {recipe.learning_rate:g}, LoRA rank "
        f"{recipe.lora_rank} on {targets}, loss on {recipe.loss_on}, {recipe.prompt} prompts, seed {recipe.seed}"
    )


def _train(trainers: Trainers, evaluation_seconds: float, say: Say) -> Ending:
    """Run the steps that are left: all of them, or those after the newest checkpoint."""
    recorder, budget = trainers.recorder, trainers.budget
    resumed_from = checkpoint.latest(trainers.folder)
    seconds_before = 0.0
    ended = False
    if resumed_from is not None:
        state = checkpoint.read(checkpoint.path(trainers.folder, resumed_from))
        recorder.restore(state["recorder"])
        seconds_before, ended = state["recorder"]["seconds"], state["ended"]
        say(
            f"Continuing from step {resumed_from} of {trainers.total_steps}, "
            f"after {duration(seconds_before)} of training"
        )
    budget.start(evaluation_seconds, seconds_before)
    diverged, batch_size = run_steps(trainers, say) if not ended else (None, trainers.recipe.batch_size)
    return Ending(
        stopped_because=diverged.reason if diverged else recorder.stopped_because,
        diverged=diverged is not None,
        seconds=budget.clock() - budget.started,
        batch_size=batch_size,
        resumed=resumed_from is not None,
    )


def _history(recorder: Recorder, base: Score) -> History:
    return History(recorder.rows, base.nll / base.tokens, recorder.steps, recorder.evaluations, recorder.best_step)


def _answers_unquantised(recipe: Recipe) -> bool:
    """Return whether prompts are answered by a base that is not in NF4, with the adapter read back.

    A CPU unpacks NF4 weights again for every token, which makes generating several times slower than with 16-bit or
    32-bit weights. A GPU that trains in 4 bits may have no room for more.
    """
    return device().kind == "cpu" and recipe.quantization == "nf4"


def _answering_model(trained: Any | None, base: BaseModel, recipe: Recipe, folder: Path) -> Any:
    """Return the model that answers prompts: the trained one if it is given, else base and adapter loaded again."""
    if trained is not None:
        return trained
    return load_adapter(load_base(base, recipe.model_copy(update={"quantization": "none"})), folder / "adapter")


def _samples(load: Callable[[], Any], tokenizer: Any, export: Export, recipe: Recipe) -> list[Sampled]:
    tried = prompts(export)
    # Spread over the list, whatever order it is in.
    chosen = [tried[i * len(tried) // recipe.samples] for i in range(min(recipe.samples, len(tried)))]
    if not chosen:
        return []
    turns = [c.messages for c in chosen]
    model = load()
    answer = partial(replies, model, tokenizer, export.persona, turns, recipe.prompt)
    with model.disable_adapter():
        by_base = answer()
    return [Sampled(t[-1].content, b, a) for t, b, a in zip(turns, by_base, answer(), strict=True)]
