"""Runs the steps of a training to their end: with less memory, after a restart, and when the loss becomes NaN.

In: a model, encoded rows and a recipe. Out: how the steps ended. Knows nothing of exports or of files beside the
checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from transformers import PrinterCallback, ProgressCallback, TrainerCallback, TrainingArguments

from curation.errors import InosukeError
from train.data import batches
from train.data.dialogues import Encoded
from train.loop.callbacks import Budget, Recorder
from train.loop.trainer import DivergedError, OutOfMemoryInStep, ReplyTrainer, adapter_state, load_adapter_state
from train.model.copies import Copies
from train.model.load import device
from train.model.out_of_memory import is_out_of_memory, release
from train.recipe import Recipe
from train.run import checkpoint

Say = Callable[[str], None]
NEVER = 10**9  # steps; the recorder decides when to evaluate and save


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a training starts with where it has no checkpoint yet: the adapter's tensors, and the recorder's state."""

    adapter: dict[str, Any]
    record: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainers:
    """Everything that the trainers of one run have in common; they differ in their batch size alone.

    ``kind`` makes a trainer, and ``collate`` a batch of ``train_rows`` where these are not single rows. With ``copies``
    of the model a step's rows are divided among them.
    """

    model: Any
    tokenizer: Any
    recipe: Recipe
    train_rows: Sequence[Any]
    eval_rows: list[Encoded]
    folder: Path
    total_steps: int
    budget: Budget
    recorder: Recorder
    watchers: Sequence[TrainerCallback]
    kind: Callable[..., ReplyTrainer] = ReplyTrainer
    collate: Callable[..., batches.Batch] | None = None
    copies: Copies | None = None

    def make(self, batch_size: int) -> ReplyTrainer:
        """Return a trainer for this batch size, with as many batches in a step as give the recipe's rows a step."""
        accumulation = self.recipe.batch_size * self.recipe.gradient_accumulation // batch_size
        changed = self.recipe.model_copy(update={"batch_size": batch_size, "gradient_accumulation": accumulation})
        trainer = self.kind(
            model=self.model,
            args=_arguments(changed, self.folder / checkpoint.FOLDER, self.total_steps),
            data_collator=self.collate or collator(self.recipe, self.tokenizer, self.copies),
            train_dataset=self.train_rows,
            eval_dataset=self.eval_rows,
            processing_class=self.tokenizer,
            callbacks=[self.recorder, *self.watchers],
            budget=self.budget,
            recorder=self.recorder,
            run=self.folder,
            copies=self.copies,
        )
        for noisy in (PrinterCallback, ProgressCallback):
            trainer.remove_callback(noisy)
        return trainer

    def beginning(self) -> Beginning:
        """Return adapter and record as they are before the steps, in main memory."""
        adapter = {name: p.detach().to("cpu", copy=True) for name, p in adapter_state(self.model).items()}
        return Beginning(adapter, self.recorder.state())

    def go_back(self, step: int | None, beginning: Beginning) -> None:
        """Go back to the checkpoint of a step, which the next trainer loads, or to the beginning if there is none."""
        if step is None:
            load_adapter_state(self.model, beginning.adapter)
            self.recorder.restore(beginning.record)
        else:
            self.recorder.restore(checkpoint.read(checkpoint.path(self.folder, step))["recorder"])


def run_steps(trainers: Trainers, say: Say) -> tuple[DivergedError | None, int]:
    """Train to the end, from the newest checkpoint if there is one.

    When memory runs out, the next trainer takes half the batch and twice the accumulation: the same rows in each step,
    from the step that failed. Where the optimiser itself ran out of memory, the weights may be those of half a step, so
    it continues from the newest checkpoint, or from the beginning. Returns the last batch size, and the error when the
    loss became NaN or infinite after there was something to keep.

    Raises InosukeError when there is no memory for a single row, or when several processes train: the others would
    wait for the one that tries again.
    """
    recipe, folder = trainers.recipe, trainers.folder
    size = recipe.batch_size
    beginning = trainers.beginning()
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
            weights_are_whole = True
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            weights_are_whole = False
        else:
            return None, size
        # Outside of `except`, and without the trainer: both hold the memory that is needed now.
        failed = trainer.state.global_step + 1
        if trainer.accelerator.num_processes > 1:
            raise InosukeError(
                f"out of memory in step {failed}. With several processes batches are not halved. Lower `batch_size` "
                f"(now {recipe.batch_size} in each process) and raise `gradient_accumulation` in the recipe."
            )
        if weights_are_whole:
            trainer.checkpoint_now()
        if trainer.optimizer is not None:
            trainer.optimizer.zero_grad(set_to_none=True)
        del trainer
        release()
        smaller = _half(size, recipe.batch_size * recipe.gradient_accumulation)
        if smaller is None:
            raise InosukeError(
                f"out of memory in step {failed}, with one row in a batch. Try `checkpointing = true`, a smaller "
                f"`max_length` (now {recipe.max_length}) or `lora_rank` (now {recipe.lora_rank}), or close other "
                "programs that use the memory."
            )
        done = checkpoint.latest(folder)
        if not weights_are_whole:
            trainers.go_back(done, beginning)
        say(
            f"Out of memory in step {failed}: continuing from step {done or 0} with batches of {smaller} instead of "
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
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=total_steps,
        per_device_train_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.gradient_accumulation,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        optim=recipe.optimizer,
        # On a CPU the weights are in bf16 already, and autocast would only add conversions.
        bf16=recipe.precision == "bf16" and device().kind == "cuda",
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
    if arguments.n_gpu > 1:
        # patch: trainer-private. Without a launcher the Trainer takes as many times the rows as there are GPUs, for a
        # wrapper (DataParallel) that a model in 4 bits does not get.
        arguments._n_gpu = 1
    return arguments


def collator(
    recipe: Recipe, tokenizer: Any, copies: Copies | None = None
) -> Callable[[Sequence[Encoded]], batches.Batch]:
    """Return the function that makes a batch of rows, in the recipe's layout; with copies, a part for each."""
    if copies is not None:
        return partial(batches.in_parts, count=copies.count, loss_on=recipe.loss_on)
    if recipe.layout == "packed":
        return partial(batches.packed, loss_on=recipe.loss_on)
    return partial(batches.padded, length=recipe.max_length, pad_id=tokenizer.pad_token_id, loss_on=recipe.loss_on)
