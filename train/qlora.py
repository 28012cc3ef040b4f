"""The training itself: a base model in NF4, LoRA matrices on top, transformers' Trainer around them.

In: an export and a recipe. Out: ``models/<run>/``. The same code runs on a GPU and on a CPU.
"""

from __future__ import annotations

import math
import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import EarlyStoppingCallback, PrinterCallback, ProgressCallback, Trainer, TrainingArguments, set_seed

from curation.errors import InosukeError
from train import base_model, batches
from train.callbacks import Budget, Evaluation, Recorder, Step, evaluation_steps
from train.data import Encoded, Export, encode, prompts
from train.generate import Reply, replies
from train.model import add_adapter, device, end_ids, load_adapter, load_base, load_tokenizer, quiet, save_adapter
from train.progress import bar
from train.recipe import Recipe
from train.scoring import Score, score, token_losses

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
    steps_per_epoch: int
    planned_steps: int
    stopped_because: str
    samples: list[Sampled]
    train_seconds: float
    trainable_parameters: int


class ReplyTrainer(Trainer):  # type: ignore[misc]
    """transformers' Trainer with our loss (reply positions only) and our evaluation (mean over all reply tokens)."""

    # compute_loss divides by the tokens of the whole accumulated batch, so the Trainer must not divide again.
    loss_is_scaled_for_ga = True

    def __init__(self, *args: Any, budget: Budget, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.eval_rows: Sequence[Encoded] = kwargs["eval_dataset"]
        self.budget = budget
        self.scores: dict[int, Score] = {}
        # Our labels are shifted already: count all of them, not those from the second on.
        self._loss_shifts_labels = False

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Return the batch's summed loss over the number of counted tokens of the step. NaN ends the training."""
        losses = token_losses(model, inputs)
        loss = losses.sum() / (num_items_in_batch if num_items_in_batch is not None else losses.numel())
        if not torch.isfinite(loss):
            raise InosukeError(
                f"the loss became {loss.item()} at step {self.state.global_step + 1}; the run was not kept. Try a "
                'lower `learning_rate` (a third), a longer `warmup`, or `precision = "fp32"` in the recipe.'
            )
        # Processes average their gradients, while num_items_in_batch counts the tokens of all of them.
        scaled: torch.Tensor = loss * self.accelerator.num_processes
        return scaled

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Follow the budget's cosine; see :class:`train.callbacks.Budget`."""
        rate = partial(self.budget.rate, total_steps=num_training_steps)
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, rate)  # type: ignore[arg-type]
        return self.lr_scheduler

    def evaluate(self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval") -> Any:
        """Score all eval rows and tell the callbacks, as the Trainer's own evaluation would."""
        with bar(len(self.eval_rows), "Evaluating", "row") as moved:
            result = score(self.model, self.eval_rows, end_ids(self.processing_class), moved)
        self.scores[self.state.global_step] = result
        metrics = {f"{metric_key_prefix}_loss": result.nll / result.tokens}
        self.log(dict(metrics))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def train(export: Export, recipe: Recipe, base: base_model.BaseModel, folder: Path, say: Say) -> Result:
    """Train the (resolved) recipe's adapter into ``folder`` (``adapter/`` and ``tokenizer/``) and measure it.

    Raises InosukeError when no row fits ``max_length``, when the loss is no number, or the base cannot be loaded.
    """
    quiet()
    budget = Budget(recipe.warmup, recipe.max_minutes)
    set_seed(recipe.seed)
    tokenizer = load_tokenizer(base.location)
    train_rows, eval_rows, left_out = _encode(export, tokenizer, recipe)
    say(f"Loading {base.name} ({recipe.quantization}, {recipe.precision}) on {device().kind}")
    model = add_adapter(load_base(base, recipe), base, recipe)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)

    say(f"Measuring the base on {len(eval_rows)} eval rows")
    started = time.monotonic()
    with model.disable_adapter(), bar(len(eval_rows), "Base", "row") as moved:
        base_score = score(model, eval_rows, end_ids(tokenizer), moved)
    evaluation_seconds = time.monotonic() - started

    rows_a_step = recipe.batch_size * recipe.gradient_accumulation
    steps_per_epoch = math.ceil(len(train_rows) / rows_a_step)
    total_steps = max(1, math.ceil(steps_per_epoch * recipe.epochs))
    limit = f", at most {recipe.max_minutes:g} minutes from the start" if recipe.max_minutes else ""
    say(f"Training {trainable / 1e6:.1f} M parameters on {len(train_rows)} rows, {recipe.epochs:g} epochs{limit}")
    targets = recipe.lora_targets if isinstance(recipe.lora_targets, str) else ", ".join(recipe.lora_targets)
    say(
        f"  {recipe.layout} batches of {rows_a_step}, learning rate {recipe.learning_rate:g}, LoRA rank "
        f"{recipe.lora_rank} on {targets}, loss on {recipe.loss_on}, {recipe.prompt} prompts, seed {recipe.seed}"
    )
    eval_steps = evaluation_steps(steps_per_epoch, total_steps, recipe.evals_per_epoch)
    recorder = Recorder(budget, len(train_rows), rows_a_step, eval_steps)
    trainer = ReplyTrainer(
        model=model,
        args=_arguments(recipe, folder / "checkpoints", total_steps),
        data_collator=_collator(recipe, tokenizer),
        train_dataset=train_rows,
        eval_dataset=eval_rows,
        processing_class=tokenizer,
        callbacks=[recorder, *_early_stopping(recipe)],
        budget=budget,
    )
    for noisy in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(noisy)
    started = time.monotonic()
    budget.start(reserve=evaluation_seconds)
    trainer.train()
    seconds = time.monotonic() - started
    best_step = trainer.state.best_global_step
    assert best_step is not None, "the last step is always evaluated"
    stopped = recorder.stopped_because
    if not stopped and trainer.state.global_step < total_steps:
        stopped = f"{recipe.patience} evaluations brought nothing better"

    save_adapter(model, base, folder / "adapter")
    tokenizer.save_pretrained(folder / "tokenizer")
    shutil.rmtree(folder / "checkpoints")
    say(f"Answering {recipe.samples} held-out prompts with base and adapter")
    return Result(
        base_model=base,
        train_rows=len(train_rows),
        eval_rows=len(eval_rows),
        left_out=left_out,
        base=base_score,
        adapter=trainer.scores[best_step],
        steps=recorder.steps,
        evaluations=recorder.evaluations,
        best_step=best_step,
        steps_per_epoch=steps_per_epoch,
        planned_steps=total_steps,
        stopped_because=stopped,
        samples=_samples(_talker(model, base, recipe, folder), tokenizer, export, recipe),
        train_seconds=seconds,
        trainable_parameters=trainable,
    )


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
        activation_checkpointing=recipe.checkpointing,
        # The reentrant kind needs gradients on the inputs, which frozen embeddings do not give.
        activation_checkpointing_kwargs={"use_reentrant": False} if recipe.checkpointing else None,
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would show the last good loss in place of a NaN
        eval_strategy="steps",
        eval_steps=NEVER,
        save_strategy="steps",
        save_steps=NEVER,
        save_total_limit=1,  # beside the best one, which is always kept
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
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


def _early_stopping(recipe: Recipe) -> list[EarlyStoppingCallback]:
    return [EarlyStoppingCallback(early_stopping_patience=recipe.patience)] if recipe.patience else []


def _talker(model: Any, base: base_model.BaseModel, recipe: Recipe, folder: Path) -> Any:
    """Return the model that answers prompts. On a CPU that is one with whole weights, and the adapter read back.

    NF4 is unpacked anew for every token there, which makes talking several times slower than the weights as they are;
    a GPU that trains in 4 bits may have no room for more.
    """
    if device().kind == "cuda" or recipe.quantization == "none":
        return model
    return load_adapter(load_base(base, recipe.model_copy(update={"quantization": "none"})), folder / "adapter")


def _samples(model: Any, tokenizer: Any, export: Export, recipe: Recipe) -> list[Sampled]:
    tried = prompts(export)
    # Spread over the list, whatever order it is in.
    chosen = [tried[i * len(tried) // recipe.samples] for i in range(min(recipe.samples, len(tried)))]
    if not chosen:
        return []
    turns = [c.messages for c in chosen]
    answer = partial(replies, model, tokenizer, export.persona, turns, recipe.prompt)
    with model.disable_adapter():
        by_base = answer()
    return [Sampled(t[-1].content, b, a) for t, b, a in zip(turns, by_base, answer(), strict=True)]
