"""Runs the steps of a training to their end: with less memory, after a restart, and when the loss becomes NaN.

In: a model, encoded rows and a recipe. Out: how the steps ended. Knows nothing of exports or of files beside the
checkpoints.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, ProgressCallback, TrainerCallback, TrainingArguments

from curation.errors import InosukeError
from train.data import batches
from train.data.dialogues import Encoded
from train.loop.callbacks import Budget, Recorder
from train.loop.trainer import DivergedError, OutOfMemoryInStep, ReplyTrainer, load_adapter_state
from train.model.load import device
from train.recipe import Recipe
from train.run import checkpoint

Say = Callable[[str], None]
NEVER = 10**9  # steps; the recorder decides when to evaluate and save


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainers:
    """Everything that the trainers of one run have in common; they differ in their batch size alone."""

    model: Any
    tokenizer: Any
    recipe: Recipe
    train_rows: list[Encoded]
    eval_rows: list[Encoded]
    folder: Path
    total_steps: int
    budget: Budget
    recorder: Recorder
    watchers: Sequence[TrainerCallback]

    def make(self, batch_size: int) -> ReplyTrainer:
        """Return a trainer for this batch size, with as many batches in a step as give the recipe's rows a step."""
        accumulation = self.recipe.batch_size * self.recipe.gradient_accumulation // batch_size
        changed = self.recipe.model_copy(update={"batch_size": batch_size, "gradient_accumulation": accumulation})
        trainer = ReplyTrainer(
            model=self.model,
            args=_arguments(changed, self.folder / checkpoint.FOLDER, self.total_steps),
            data_collator=_collator(self.recipe, self.tokenizer),
            train_dataset=self.train_rows,
            eval_dataset=self.eval_rows,
            processing_class=self.tokenizer,
            callbacks=[self.recorder, *self.watchers],
            budget=self.budget,
            recorder=self.recorder,
            run=self.folder,
        )
        for noisy in (PrinterCallback, ProgressCallback):
            trainer.remove_callback(noisy)
        return trainer


def run_steps(trainers: Trainers, say: Say) -> tuple[DivergedError | None, int]:
    """Train to the end, from the newest checkpoint if there is one.

    When memory runs out, the next trainer takes half the batch and twice the accumulation: the same rows in each step,
    from the step that failed. Returns the last batch size, and the error when the loss became NaN or infinite after
    there was something to keep.
    """
    recipe, folder = trainers.recipe, trainers.folder
    size = recipe.batch_size
    while True:
        trainer = trainers.make(size)
        step = checkpoint.latest(folder)
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint.path(folder, step)) if step is not None else None)
        except DivergedError as error:
            if trainer.recorder.best_step is None and not _measured(trainer, folder):
                raise
            return error, size
        except OutOfMemoryInStep:
            done = trainer.state.global_step
        else:
            return None, size
        # Outside of `except`, and without the trainer: both hold the memory that is needed now.
        trainer.checkpoint_now()
        trainer.optimizer.zero_grad(set_to_none=True)
        del trainer
        gc.collect()
        if device().kind == "cuda":
            torch.cuda.empty_cache()
        smaller = _half(size, recipe.batch_size * recipe.gradient_accumulation)
        if smaller is None:
            raise InosukeError(
                f"out of memory in step {done + 1}, with one row in a batch. Try `checkpointing = true`, a smaller "
                f"`max_length` (now {recipe.max_length}) or `lora_rank` (now {recipe.lora_rank}), or close other "
                "programs that use the memory."
            )
        say(
            f"Out of memory in step {done + 1}: continuing from step {done} with batches of {smaller} instead of "
            f"{size}, {recipe.batch_size * recipe.gradient_accumulation // smaller} of them in a step: the same rows."
        )
        size = smaller


def _measured(trainer: ReplyTrainer, folder: Path) -> bool:
    """Measure the newest checkpoint when the loss became NaN before any evaluation; return whether it is good."""
    step = checkpoint.latest(folder)
    if step is None:
        return False
    load_adapter_state(trainer.model, checkpoint.read(checkpoint.path(folder, step))["adapter"])
    trainer.state.global_step = step
    trainer.evaluate()
    return trainer.recorder.best_step is not None


def _half(size: int, rows_a_step: int) -> int | None:
    """Return the largest batch of at most half the size that divides a step; None when there is none."""
    return next((s for s in range(size // 2, 0, -1) if rows_a_step % s == 0), None)


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
        remove_unused_columns=False,  # our rows have no columns
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
