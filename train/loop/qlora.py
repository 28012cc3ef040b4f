"""The training itself: a base model in NF4, LoRA matrices on top, transformers' Trainer around them.

In: an export and a recipe. Out: ``adapter/`` and ``tokenizer/`` of a run, a :class:`Result`, and a
:class:`~train.loop.speaker.Speaker`. The same code runs on a GPU and on a CPU.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, set_seed

from curation import chat
from curation.console import duration
from curation.contracts.run import RecordedDialogue, SameIds, write_same_ids
from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import messages_to_json
from train.data.dialogues import Encoded, Export, encode
from train.data.groups import validation_part
from train.distributed import ALONE, Processes, join
from train.loop.callbacks import Budget, History, Recorder, evaluation_steps
from train.loop.forecast import expected_speed, memory_lines, time_line
from train.loop.memory_estimate import shape_of
from train.loop.memory_use import SpeedWatch, peak_bytes, reset_peak
from train.loop.speaker import Speaker
from train.loop.speed import epochs_that_fit, seconds_a_row
from train.loop.steps import Say, Trainers, collator, run_steps
from train.loop.trainer import ADVICE, load_adapter_state, measure
from train.model.base_model import BaseModel
from train.model.load import add_adapter, device, load_base, load_config, put_adapter, save_adapter, tokenizer_of
from train.model.loss_check import prove_loss
from train.model.scoring import Score
from train.model.whole_weights import describe
from train.progress import quiet_libraries
from train.recipe import Ceiling, Recipe
from train.run import checkpoint
from train.run.folder import NothingLearnt


@dataclass(frozen=True, slots=True)
class Rows:
    """What is trained on and what is measured; ``left_out`` are the ids of the rows that are too long.

    Checkpoints are chosen on ``validation``, whole groups of the train split that are not trained on. So the eval
    split, which is reported, was looked at once. A train split that is too small for that gives nothing away:
    ``validation`` is then the eval split itself, and ``chosen_on_eval`` is true.
    """

    train: list[Encoded]
    validation: list[Encoded]
    eval: list[Encoded]
    left_out: list[str]

    @property
    def chosen_on_eval(self) -> bool:
        """Whether the eval figures are of the best of several looks."""
        return self.validation is self.eval


@dataclass(frozen=True, slots=True)
class Schedule:
    """How many rows a step has (over all processes), and how many steps an epoch and the whole training have."""

    rows_a_step: int
    steps_per_epoch: int
    total_steps: int


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


@dataclass(frozen=True, slots=True)
class Begun:
    """What an earlier process did of a run: the step to continue from, the steps planned, the seconds gone.

    ``ended`` says that no step is left; ``recorder`` is the state to restore.
    """

    step: int
    total_steps: int
    seconds: float
    ended: bool
    recorder: dict[str, Any]


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
    if begun is not None:
        schedule = replace(schedule, total_steps=begun.total_steps)
    elif ceiling.fill and ceiling.minutes is not None:
        recipe = _filled(recipe, model, tokenizer, rows, evaluation_seconds, budget, say)
        schedule = plan_steps(recipe, len(rows.train), processes.count)
    eval_steps = evaluation_steps(schedule.steps_per_epoch, schedule.total_steps, recipe.evals_per_epoch)
    _announce(recipe, rows, schedule, trainable, budget, say)
    if begun is None:
        say(time_line(rows.train, rows.validation, evaluation_seconds, recipe, len(eval_steps)))

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
    )
    # The last evaluation, and at the end the report: base and adapter on the eval split.
    reserve = evaluation_seconds * (1 + 2 * len(rows.eval) / len(rows.validation))
    ending = run_to_end(trainers, begun, ceiling, reserve, say)
    best_step = recorder.best_step
    if best_step is None:
        raise NothingLearnt(f"no evaluation gave a finite loss. {ADVICE}")
    if not processes.is_first:
        return None

    load_adapter_state(model, checkpoint.read(checkpoint.path(folder, best_step))["adapter"])
    save_adapter(model, base, folder / "adapter")
    tokenizer.save_pretrained(folder / "tokenizer")
    write_same_ids(folder, recorded_ids(tokenizer, export.persona, recipe))
    tokens, peak, history = recorder.tokens, peak_bytes(), history_of(recorder, base_score)
    speaker = Speaker(base, recipe, tokenizer, model)
    del model, trainers  # there must never be two models in memory
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


def encode_rows(export: Export, tokenizer: Any, recipe: Recipe) -> Rows:
    """Encode the rows that the recipe asks for. Raises InosukeError when none of a split fits `max_length`."""
    encoded, left_out = [], []
    train, validation = validation_part(export.train, recipe.max_eval_rows)
    for name, rows, most in (
        ("train", train, recipe.max_train_rows),
        ("eval", export.eval, recipe.max_eval_rows),
        *([("validation", validation, None)] if validation else []),
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
    return Rows(train=encoded[0], validation=encoded[-1], eval=encoded[1], left_out=left_out)


def prove_same_ids(export: Export, tokenizer: Any, recipe: Recipe, say: Say) -> None:
    """Prove on real rows that what is trained is what will be served. Raises InosukeError where it is not."""
    rows = chat.telling([row.messages for row in (*export.train, *export.eval)], export.persona)
    chat.prove([*rows, *chat.EXAMPLES], tokenizer, export.persona, recipe.prompt)
    if recipe.prompt == "chat":
        chat.prove_facts(rows, tokenizer, export.persona.as_served())
    say(f"Trained ids are served ids: proved on {len(rows)} dialogues of the export")


def recorded_ids(tokenizer: Any, persona: Persona, recipe: Recipe) -> SameIds:
    """Return what a few dialogues are rendered to, for servers to compare with."""
    return SameIds(
        dialogues=[
            RecordedDialogue(
                messages=messages_to_json(talk),
                input_ids=chat.render(talk, tokenizer, persona, recipe.prompt).input_ids,
            )
            for talk in chat.EXAMPLES
        ],
        **_with_facts(tokenizer, persona.as_served(), recipe),
    )


def _with_facts(tokenizer: Any, persona: Persona, recipe: Recipe) -> dict[str, Any]:
    """Return what dialogues with facts of the lorebook are rendered to; nothing without a book."""
    if persona.book is None or recipe.prompt != "chat":
        return {}
    count = chat.counter(tokenizer)
    return {
        "lorebook": persona.book.sha256,
        "with_facts": [
            RecordedDialogue(
                messages=messages_to_json(talk),
                input_ids=chat.render(
                    chat.with_facts(talk, persona, count).messages, tokenizer, persona, recipe.prompt
                ).input_ids,
            )
            for talk in chat.fact_examples(persona)
        ],
    }


def plan_steps(recipe: Recipe, rows: int, processes: int) -> Schedule:
    """Return how many steps a training on ``rows`` rows has."""
    rows_a_step = recipe.batch_size * recipe.gradient_accumulation * processes
    steps_per_epoch = math.ceil(rows / rows_a_step)
    return Schedule(rows_a_step, steps_per_epoch, max(1, math.ceil(steps_per_epoch * recipe.epochs)))


def load_model(base: BaseModel, recipe: Recipe, rows: Rows, say: Say) -> Any:
    """Load the base with fresh LoRA matrices, after a message about the memory that the training will take."""
    for line in memory_lines(shape_of(load_config(base)), rows.train, recipe, device().kind):
        say(line)
    say(f"Loading {base.name} ({recipe.quantization}, {recipe.precision}) on {device().kind}")
    return add_adapter(load_base(base, recipe), base, recipe)


def _measure_base(model: Any, rows: Rows, tokenizer: Any, say: Say) -> tuple[Score, float]:
    """Return the base's score on the validation rows and the seconds that an evaluation takes."""
    say(f"Measuring the base on {len(rows.validation)} {'eval' if rows.chosen_on_eval else 'validation'} rows")
    started = time.monotonic()
    with model.disable_adapter():
        score = measure(model, rows.validation, tokenizer, "Base")
    seconds = time.monotonic() - started
    return score, seconds


def check_base(score: Score, base: BaseModel, recipe: Recipe) -> None:
    """Raise NothingLearnt when the base itself gives no finite loss: no learning rate would help."""
    if math.isfinite(score.nll):
        return
    whole = "" if recipe.quantization == "nf4" else '`quantization = "nf4"`, '
    raise NothingLearnt(
        f"the base {base.name} has a loss of {score.nll} in {recipe.precision} before the first step, so the learning "
        f"rate is not the reason: its own values overflow, or its weights are damaged. Try {whole}"
        '`precision = "bf16"` (a GPU from Ampere on) or `precision = "fp32"` in the recipe, or another base.'
    )


def begun_of(folder: Path, ceiling: Ceiling) -> Begun | None:
    """Return what the newest checkpoint of a run says of it; None for a new run.

    With minutes that count from now, a cool-down that had begun was for nothing: the run goes back to the checkpoint
    before it.
    """
    step = checkpoint.latest(folder)
    if step is None:
        return None
    place = checkpoint.path(folder, step)
    state = checkpoint.read(place)
    try:
        cooled_from = state["recorder"]["cooled_from"]
        if ceiling.from_now and cooled_from is not None:
            step, place = cooled_from, checkpoint.path(folder, cooled_from)
            state = checkpoint.read(place)
            checkpoint.remove_after(folder, step)
        recorder = state["recorder"]
        ended = state["ended"] and not (ceiling.from_now and recorder["hit_ceiling"])
        return Begun(step, recorder["total_steps"], recorder["seconds"], ended, recorder)
    except (KeyError, TypeError) as error:
        raise InosukeError(
            f"{place}: not a checkpoint that this version can continue from (its {error} is missing). Train again."
        ) from None


def _filled(
    recipe: Recipe, model: Any, tokenizer: Any, rows: Rows, an_evaluation: float, budget: Budget, say: Say
) -> Recipe:
    """Return the recipe with as many epochs as fit into the minutes that are left."""
    if recipe.max_epochs is None or recipe.max_epochs <= recipe.epochs:
        return recipe
    say("Measuring how long a dialogue takes")
    a_row = seconds_a_row(model, rows.train, recipe, collator(recipe, tokenizer))
    epochs = round(epochs_that_fit(recipe, len(rows.train), a_row, an_evaluation, budget.left - an_evaluation), 2)
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
