"""The training itself: a base model in NF4, LoRA matrices on top, transformers' Trainer around them.

In: an export and a recipe. Out: ``models/<run>/``. The same code runs on a GPU and on a CPU.
"""

from __future__ import annotations

import gc
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, ProgressCallback, TrainerCallback, TrainingArguments, set_seed

from curation.errors import InosukeError
from train.data import batches
from train.data.dialogues import Encoded, Export, encode, prompts
from train.distributed import ALONE, Processes
from train.loop.callbacks import Budget, Evaluation, History, Recorder, Step, duration, evaluation_steps
from train.loop.forecast import memory_lines, time_line
from train.loop.memory_estimate import shape_of
from train.loop.trainer import ADVICE, DivergedError, OutOfMemoryInStep, ReplyTrainer, load_adapter_state, measure
from train.model import base_model
from train.model.generate import Reply, replies
from train.model.load import add_adapter, device, load_adapter, load_base, load_config, load_tokenizer, save_adapter
from train.model.scoring import Score
from train.progress import quiet
from train.recipe import Recipe
from train.run import checkpoint
from train.run.folder import NothingLearnt
from train.speedups.malloc import give_back

Say = Callable[[str], None]
NEVER = 10**9  # steps; the recorder decides when to evaluate and save


@dataclass(frozen=True, slots=True)
class Sampled:
    """A held-out prompt's last user turn and what base and adapter answered."""

    prompt: str
    base: Reply
    adapter: Reply


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that reports need to know about a training that ended. Seconds are wall-clock."""

    base_model: base_model.BaseModel
    train_rows: int
    eval_rows: int
    left_out: list[str]
    base: Score
    adapter: Score
    steps: list[Step]
    evaluations: list[Evaluation]
    best_step: int
    history: History
    steps_per_epoch: int
    planned_steps: int
    stopped_because: str
    diverged: bool
    samples: list[Sampled]
    train_seconds: float
    trainable_parameters: int
    batch_size: int
    resumed: bool


def train(
    export: Export,
    recipe: Recipe,
    base: base_model.BaseModel,
    folder: Path,
    say: Say,
    *,
    together: Processes = ALONE,
    watchers: Sequence[TrainerCallback] = (),
    draw: Callable[[History], object] = lambda history: None,
) -> Result | None:
    """Train the (resolved) recipe's adapter into ``folder`` (``adapter/`` and ``tokenizer/``) and measure it.

    Where ``folder`` holds checkpoints, the training goes on from the newest. ``watchers`` are callbacks to tell,
    ``draw`` is called at each evaluation. Returns None in those processes of a distributed training that are not the
    first.

    Raises InosukeError when no row fits ``max_length``, when the loss is no number before anything was learnt, when
    there is no memory for a single row, or the base cannot be loaded.
    """
    quiet()
    budget = Budget(recipe.warmup, recipe.max_minutes)
    set_seed(recipe.seed)
    tokenizer = load_tokenizer(base.location)
    train_rows, eval_rows, left_out = _encode(export, tokenizer, recipe)
    rows_a_step = recipe.batch_size * recipe.gradient_accumulation * together.count
    steps_per_epoch = math.ceil(len(train_rows) / rows_a_step)
    total_steps = max(1, math.ceil(steps_per_epoch * recipe.epochs))
    for line in memory_lines(shape_of(load_config(base)), train_rows, recipe, device().kind):
        say(line)
    say(f"Loading {base.name} ({recipe.quantization}, {recipe.precision}) on {device().kind}")
    model = add_adapter(load_base(base, recipe), base, recipe)
    give_back()
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)

    say(f"Measuring the base on {len(eval_rows)} eval rows")
    started = time.monotonic()
    with model.disable_adapter():
        base_score = measure(model, eval_rows, tokenizer, "Base")
    evaluation_seconds = time.monotonic() - started
    give_back()

    limit = f", at most {recipe.max_minutes:g} minutes from the start" if recipe.max_minutes else ""
    say(f"Training {trainable / 1e6:.1f} M parameters on {len(train_rows)} rows, {recipe.epochs:g} epochs{limit}")
    targets = recipe.lora_targets if isinstance(recipe.lora_targets, str) else ", ".join(recipe.lora_targets)
    say(
        f"  {recipe.layout} batches of {rows_a_step}, learning rate {recipe.learning_rate:g}, LoRA rank "
        f"{recipe.lora_rank} on {targets}, loss on {recipe.loss_on}, {recipe.prompt} prompts, seed {recipe.seed}"
    )
    eval_steps = evaluation_steps(steps_per_epoch, total_steps, recipe.evals_per_epoch)
    say(time_line(train_rows, eval_rows, evaluation_seconds, recipe, len(eval_steps)))
    recorder = Recorder(
        budget,
        len(train_rows),
        rows_a_step,
        eval_steps,
        patience=recipe.patience,
        checkpoint_minutes=recipe.checkpoint_minutes,
        on_evaluation=lambda: draw(_history(recorder, base_score)),
        shown=together.is_first,
    )

    def make(batch_size: int) -> ReplyTrainer:
        accumulation = recipe.batch_size * recipe.gradient_accumulation // batch_size
        changed = recipe.model_copy(update={"batch_size": batch_size, "gradient_accumulation": accumulation})
        trainer = ReplyTrainer(
            model=model,
            args=_arguments(changed, folder / checkpoint.FOLDER, total_steps),
            data_collator=_collator(recipe, tokenizer),
            train_dataset=train_rows,
            eval_dataset=eval_rows,
            processing_class=tokenizer,
            callbacks=[recorder, *watchers],
            budget=budget,
            recorder=recorder,
            run=folder,
        )
        for noisy in (PrinterCallback, ProgressCallback):
            trainer.remove_callback(noisy)
        return trainer

    resume = checkpoint.latest(folder)
    gone = 0.0
    ended = False
    if resume is not None:
        state = checkpoint.read(checkpoint.path(folder, resume))
        recorder.restore(state["recorder"])
        gone, ended = state["recorder"]["seconds"], state["ended"]
        say(f"Going on from step {resume} of {total_steps}, after {duration(gone)} of training")
    budget.start(evaluation_seconds, gone)
    diverged, batch_size = run_steps(make, folder, recipe, say) if not ended else (None, recipe.batch_size)
    seconds = budget.clock() - budget.started
    best_step = recorder.best_step
    if best_step is None:
        raise NothingLearnt(f"no evaluation gave a number for a loss. {ADVICE}")
    if not together.is_first:
        return None

    load_adapter_state(model, checkpoint.read(checkpoint.path(folder, best_step))["adapter"])
    save_adapter(model, base, folder / "adapter")
    tokenizer.save_pretrained(folder / "tokenizer")
    say(f"Answering {recipe.samples} held-out prompts with base and adapter")
    talker = None if _talks_in_whole_weights(recipe) else model
    model = None  # so that there are never two
    give_back()
    return Result(
        base_model=base,
        train_rows=len(train_rows),
        eval_rows=len(eval_rows),
        left_out=left_out,
        base=base_score,
        adapter=recorder.scores[best_step],
        steps=recorder.steps,
        evaluations=recorder.evaluations,
        best_step=best_step,
        steps_per_epoch=steps_per_epoch,
        planned_steps=total_steps,
        stopped_because=diverged.reason if diverged else recorder.stopped_because,
        diverged=diverged is not None,
        history=_history(recorder, base_score),
        samples=_samples(partial(_talker, talker, base, recipe, folder), tokenizer, export, recipe),
        train_seconds=seconds,
        trainable_parameters=trainable,
        batch_size=batch_size,
        resumed=resume is not None,
    )


def run_steps(
    make: Callable[[int], ReplyTrainer], folder: Path, recipe: Recipe, say: Say
) -> tuple[DivergedError | None, int]:
    """Train to the end with the trainers that ``make`` gives for a batch size; go on from the newest checkpoint.

    When memory runs out, the next trainer takes half the batch and twice the accumulation: the same rows in each step,
    from the step that was not done. Returns the last batch size, and the error when the loss became no number after
    there was something to keep.
    """
    size = recipe.batch_size
    while True:
        trainer = make(size)
        step = checkpoint.latest(folder)
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint.path(folder, step)) if step is not None else None)
        except DivergedError as error:
            if trainer.recorder.best_step is None and not _measured(trainer, folder):
                raise
            return error, size
        except OutOfMemoryInStep:
            kept = trainer.state.global_step
        else:
            return None, size
        # Outside of `except`, and without the trainer: both hold what memory there is.
        trainer.checkpoint_now()
        trainer.optimizer.zero_grad(set_to_none=True)
        del trainer
        gc.collect()
        if device().kind == "cuda":
            torch.cuda.empty_cache()
        smaller = _half(size, recipe.batch_size * recipe.gradient_accumulation)
        if smaller is None:
            raise InosukeError(
                f"out of memory in step {kept + 1}, with one row in a batch. Try `checkpointing = true`, a smaller "
                f"`max_length` (now {recipe.max_length}) or `lora_rank` (now {recipe.lora_rank}), or close what else "
                "uses the memory."
            )
        say(
            f"Out of memory in step {kept + 1}: going on from step {kept} with batches of {smaller} instead of {size} "
            f"and {recipe.batch_size * recipe.gradient_accumulation // smaller} of them in a step, the same rows."
        )
        size = smaller


def _measured(trainer: ReplyTrainer, folder: Path) -> bool:
    """Measure the newest checkpoint when the loss became no number before any evaluation; say if it is good."""
    step = checkpoint.latest(folder)
    if step is None:
        return False
    load_adapter_state(trainer.model, checkpoint.read(checkpoint.path(folder, step))["adapter"])
    trainer.state.global_step = step
    trainer.evaluate()
    return trainer.recorder.best_step is not None


def _history(recorder: Recorder, base: Score) -> History:
    return History(recorder.rows, base.nll / base.tokens, recorder.steps, recorder.evaluations, recorder.best_step)


def _half(size: int, rows_a_step: int) -> int | None:
    """Return the largest batch of at most half the size that a step can be made of; None when there is none."""
    return next((s for s in range(size // 2, 0, -1) if rows_a_step % s == 0), None)


def _encode(export: Export, tokenizer: Any, recipe: Recipe) -> tuple[list[Encoded], list[Encoded], list[str]]:
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
    return encoded[0], encoded[1], left_out


def _arguments(recipe: Recipe, folder: Path, total_steps: int) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=total_steps,
        per_device_train_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.gradient_accumulation,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        optim=recipe.optimizer,
        bf16=recipe.precision == "bf16",
        fp16=recipe.precision == "fp16",
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would show the last good loss in place of a NaN
        eval_strategy="steps",
        eval_steps=NEVER,
        save_strategy="steps",
        save_steps=NEVER,
        remove_unused_columns=False,  # our rows are no columns
        disable_tqdm=True,
        seed=recipe.seed,
        use_cpu=device().kind == "cpu",
        dataloader_pin_memory=device().kind == "cuda",
        report_to="none",
    )


def _collator(recipe: Recipe, tokenizer: Any) -> Callable[[Sequence[Encoded]], batches.Batch]:
    if recipe.layout == "packed":
        return partial(batches.packed, loss_on=recipe.loss_on)
    return partial(batches.padded, length=recipe.max_length, pad_id=tokenizer.pad_token_id, loss_on=recipe.loss_on)


def _talks_in_whole_weights(recipe: Recipe) -> bool:
    """Say whether prompts are answered by a base that is not in NF4, with the adapter read back.

    On a CPU NF4 is unpacked anew for every token, which makes talking several times slower than the weights as they
    are; a GPU that trains in 4 bits may have no room for more.
    """
    return device().kind == "cpu" and recipe.quantization == "nf4"


def _talker(trained: Any | None, base: base_model.BaseModel, recipe: Recipe, folder: Path) -> Any:
    """Return the model that answers prompts: the trained one, where it is given."""
    if trained is not None:
        return trained
    return load_adapter(load_base(base, recipe.model_copy(update={"quantization": "none"})), folder / "adapter")


def _samples(talker: Callable[[], Any], tokenizer: Any, export: Export, recipe: Recipe) -> list[Sampled]:
    tried = prompts(export)
    # Spread over the list, whatever order it is in.
    chosen = [tried[i * len(tried) // recipe.samples] for i in range(min(recipe.samples, len(tried)))]
    if not chosen:
        return []
    turns = [c.messages for c in chosen]
    model = talker()
    answer = partial(replies, model, tokenizer, export.persona, turns, recipe.prompt)
    with model.disable_adapter():
        by_base = answer()
    return [Sampled(t[-1].content, b, a) for t, b, a in zip(turns, by_base, answer(), strict=True)]
