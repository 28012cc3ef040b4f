"""The training itself: a base model in NF4, LoRA matrices on top, transformers' Trainer around them.

In: an export and a recipe. Out: ``adapter/`` and ``tokenizer/`` of a run, a :class:`Result`, and a
:class:`~train.loop.speaker.Speaker`. The same code runs on a GPU and on a CPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, set_seed

from curation.console import duration
from curation.contracts.run import write_same_ids
from curation.persona import Persona
from train.data.dialogues import Export
from train.distributed import ALONE, Processes, join
from train.loop.callbacks import Budget, History, Recorder, evaluation_steps
from train.loop.forecast import expected_speed, time_line
from train.loop.memory_use import SpeedWatch, peak_bytes, reset_peak
from train.loop.preparation import (
    Begun,
    Rows,
    Schedule,
    begun_of,
    check_base,
    encode_rows,
    load_model,
    plan_steps,
    prove_same_ids,
    recorded_ids,
)
from train.loop.speaker import Speaker
from train.loop.speed import epochs_that_fit, seconds_a_row
from train.loop.steps import Say, Trainers, collator, run_steps
from train.loop.trainer import ADVICE, load_adapter_state, measure
from train.model.base_model import BaseModel
from train.model.copies import copies_of
from train.model.load import device, put_adapter, save_adapter, tokenizer_of
from train.model.loss_check import prove_loss
from train.model.scoring import Score
from train.model.whole_weights import describe
from train.progress import quiet_libraries
from train.recipe import Ceiling, Recipe
from train.run import checkpoint
from train.run.folder import NothingLearnt


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the steps ended. ``seconds`` is wall-clock time, ``batch_size`` the last one, ``resumed`` whether a restart.

    ``stopped_because`` is empty when all steps were done. ``hit_ceiling`` says whether the ``max_minutes`` took the
    learning rate down early; more minutes then continue from the step ``resume_from``.
    """

    stopped_because: str
    diverged: bool
    seconds: float
    batch_size: int
    resumed: bool
    max_minutes: float | None = None
    hit_ceiling: bool = False
    resume_from: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything that reports need to know about a training that ended.

    ``recipe`` is the one trained with: the wanted one, but for a layout that the loss check had to change. ``base`` and
    ``adapter`` are the scores of each eval row, on the weights that ``weights`` describes.
    ``tokens`` were trained on; ``peak_bytes`` is the most memory taken until then (of the GPU, where there is one).
    """

    base_model: BaseModel
    recipe: Recipe
    rows: Rows
    schedule: Schedule
    trainable_parameters: int
    base: list[Score]
    adapter: list[Score]
    weights: str
    history: History
    ending: Ending
    tokens: int
    peak_bytes: int


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
    ceiling: Ceiling | None = None,
    start: Path | None = None,
) -> tuple[Result, Speaker] | None:
    """Train the (resolved) recipe's adapter into ``folder`` (``adapter/`` and ``tokenizer/``) and measure it.

    Where ``folder`` holds checkpoints, the training continues from the newest. ``watchers`` are further callbacks of
    the trainer; ``draw`` is called at each evaluation; ``ceiling`` is the recipe's `max_minutes` unless given;
    ``start`` is the folder of an adapter to continue. Returns the result and the trained model; None in those processes
    of a distributed training that are not the first.

    Raises InosukeError when no row fits ``max_length``, when the base itself or the training gives NaN before anything
    was learnt, when there is no memory for a single row, when the base cannot be loaded, or when what is trained would
    not be what is served.
    """
    quiet_libraries()
    join(processes, device().kind)
    reset_peak()
    ceiling = ceiling or Ceiling(recipe.max_minutes)
    budget = Budget(recipe.warmup, ceiling.minutes)
    set_seed(recipe.seed)
    tokenizer = tokenizer_of(base, recipe)
    rows = encode_rows(export, tokenizer, recipe)
    prove_same_ids(export, tokenizer, recipe, say)
    schedule = plan_steps(recipe, len(rows.train), processes.count)
    begun = begun_of(folder, ceiling)

    model = load_model(base, recipe, rows, say)
    if start is not None:
        put_adapter(model, start)
    recipe = prove_loss(model, [*rows.train, *rows.eval], recipe, say)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    base_score, evaluation_seconds = _measure_base(model, rows, tokenizer, say)
    check_base(base_score, base, recipe)
    copies = copies_of(model, recipe, processes.count)
    if begun is not None:
        schedule = replace(schedule, total_steps=begun.total_steps)
    else:
        say("Measuring how long a dialogue takes")
        a_row = seconds_a_row(model, rows.train, recipe, collator(recipe, tokenizer, copies), copies) / processes.count
        if ceiling.fill and ceiling.minutes is not None:
            recipe = _filled(recipe, len(rows.train), a_row, evaluation_seconds, budget, say)
            schedule = plan_steps(recipe, len(rows.train), processes.count)
    eval_steps = evaluation_steps(schedule.steps_per_epoch, schedule.total_steps, recipe.evals_per_epoch)
    _announce(recipe, rows, schedule, trainable, budget, say)
    if begun is None:
        say(time_line(len(rows.train), a_row, evaluation_seconds, recipe, len(eval_steps)))

    recorder = Recorder(
        budget,
        len(rows.train),
        schedule.rows_a_step,
        eval_steps,
        total_steps=schedule.total_steps,
        patience=recipe.patience,
        checkpoint_minutes=recipe.checkpoint_minutes,
        on_evaluation=lambda: draw(history_of(recorder, base_score)),
        shown=processes.is_first,
    )
    watching = [*watchers]
    if device().kind == "cuda":
        speed = expected_speed(rows.validation, evaluation_seconds, recipe) / processes.count
        watching.append(SpeedWatch(recorder, speed, say))
    trainers = Trainers(
        model=model,
        tokenizer=tokenizer,
        recipe=recipe,
        train_rows=rows.train,
        eval_rows=rows.validation,
        folder=folder,
        total_steps=schedule.total_steps,
        budget=budget,
        recorder=recorder,
        watchers=watching,
        copies=copies,
    )
    # The last evaluation, and at the end the report: base and adapter on the eval split.
    reserve = evaluation_seconds * (1 + 2 * len(rows.eval) / len(rows.validation))
    ending = run_to_end(trainers, begun, ceiling, reserve, say)
    best_step = recorder.best_step
    if best_step is None:
        raise NothingLearnt(f"no evaluation gave a finite loss. {ADVICE}")
    if not processes.is_first:
        return None

    save_best(model, tokenizer, base, recipe, export.persona, folder, best_step)
    tokens, peak, history = recorder.tokens, peak_bytes(), history_of(recorder, base_score)
    speaker = Speaker(base, recipe, tokenizer, model)
    del model, trainers, copies  # there must never be two models in memory
    say(f"Measuring base and adapter on {len(rows.eval)} eval rows")
    by_base, by_adapter = speaker.scores(folder / "adapter", rows.eval)
    result = Result(
        base_model=base,
        recipe=recipe,
        rows=rows,
        schedule=schedule,
        trainable_parameters=trainable,
        base=by_base,
        adapter=by_adapter,
        weights=describe(speaker.recipe),
        history=history,
        ending=ending,
        tokens=tokens,
        peak_bytes=peak,
    )
    return result, speaker


def save_best(
    model: Any, tokenizer: Any, base: BaseModel, recipe: Recipe, persona: Persona, folder: Path, step: int
) -> None:
    """Take the adapter of a step into the model, and write it, the tokenizer and the proof of the ids into a run."""
    load_adapter_state(model, checkpoint.read(checkpoint.path(folder, step))["adapter"])
    save_adapter(model, base, folder / "adapter")
    tokenizer.save_pretrained(folder / "tokenizer")
    write_same_ids(folder, recorded_ids(tokenizer, persona, recipe))


def _measure_base(model: Any, rows: Rows, tokenizer: Any, say: Say) -> tuple[Score, float]:
    """Return the base's score on the validation rows and the seconds that an evaluation takes."""
    say(f"Measuring the base on {len(rows.validation)} {'eval' if rows.chosen_on_eval else 'validation'} rows")
    started = time.monotonic()
    with model.disable_adapter():
        score = measure(model, rows.validation, tokenizer, "Base")
    seconds = time.monotonic() - started
    return score, seconds


def _filled(recipe: Recipe, rows: int, a_row: float, an_evaluation: float, budget: Budget, say: Say) -> Recipe:
    """Return the recipe with as many epochs as fit into the minutes that are left."""
    if recipe.max_epochs is None or recipe.max_epochs <= recipe.epochs:
        return recipe
    epochs = round(epochs_that_fit(recipe, rows, a_row, an_evaluation, budget.left - an_evaluation), 2)
    say(
        f"  {a_row:.2f} s a dialogue: planning {epochs:g} epochs (the recipe's {recipe.epochs:g}, up to "
        f"{recipe.max_epochs:g} as the minutes allow)"
    )
    return recipe.model_copy(update={"epochs": max(epochs, recipe.epochs)})


def _announce(recipe: Recipe, rows: Rows, schedule: Schedule, trainable: int, budget: Budget, say: Say) -> None:
    limit = f", at most {budget.max_minutes:g} minutes from the start" if budget.max_minutes else ""
    epochs = schedule.total_steps / schedule.steps_per_epoch
    say(f"Training {trainable / 1e6:.1f} M parameters on {len(rows.train)} rows, {epochs:.3g} epochs{limit}")
    targets = recipe.lora_targets if isinstance(recipe.lora_targets, str) else ", ".join(recipe.lora_targets)
    say(
        f"  {recipe.layout} batches of {schedule.rows_a_step}, learning rate {recipe.learning_rate:g}, LoRA rank "
        f"{recipe.lora_rank} on {targets}, loss on {recipe.loss_on}, {recipe.prompt} prompts, seed {recipe.seed}"
    )


def run_to_end(
    trainers: Trainers, begun: Begun | None, ceiling: Ceiling, evaluation_seconds: float, say: Say
) -> Ending:
    """Run the steps that are left: all of them, or those after the newest checkpoint."""
    recorder, budget = trainers.recorder, trainers.budget
    step, seconds_before, ended = 0, 0.0, False
    if begun is not None:
        step, seconds_before, ended = begun.step, begun.seconds, begun.ended
        recorder.restore(begun.recorder)
        if not ended:
            recorder.stopped_because, recorder.hit_ceiling = "", recorder.hit_ceiling and not ceiling.from_now
        say(f"Continuing from step {step} of {trainers.total_steps}, after {duration(seconds_before)} of training")
    budget.start(evaluation_seconds, seconds_before, step, from_now=ceiling.from_now)
    diverged, batch_size = run_steps(trainers, say) if not ended else (None, trainers.recipe.batch_size)
    return Ending(
        stopped_because=diverged.reason if diverged else recorder.stopped_because,
        diverged=diverged is not None,
        seconds=budget.clock() - budget.started,
        batch_size=batch_size,
        resumed=begun is not None,
        max_minutes=budget.max_minutes,
        hit_ceiling=recorder.hit_ceiling,
        resume_from=recorder.resume_from,
    )


def history_of(recorder: Recorder, base: Score) -> History:
    """Return the record of a training so far; ``base`` is the base's score on the validation rows."""
    return History(recorder.rows, base.nll / base.tokens, recorder.steps, recorder.evaluations, recorder.best_step)
