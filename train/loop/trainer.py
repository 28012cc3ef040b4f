"""transformers' Trainer with our loss, our evaluation and our checkpoints. Knows nothing of recipes or exports.

Its loop, its mixed precision and its support for `accelerate launch` are used unchanged. Three things differ: logits at
reply positions only, eval loss as a mean over all reply tokens, and checkpoints that are atomic and contain no pickle.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import Trainer

from curation.errors import InosukeError
from train import distributed
from train.data.batches import IGNORE, token_count
from train.data.dialogues import Encoded
from train.loop.callbacks import Budget, Recorder
from train.model.copies import Copies, summed_loss
from train.model.load import end_ids
from train.model.out_of_memory import NoMemoryLeft, is_out_of_memory
from train.model.scoring import Score, score_rows, total
from train.run import checkpoint
from train.run.folder import NothingLearnt

TRAINER_STATE = "trainer_state.json"  # the name that Trainer looks for
ADVICE = (
    'Try a lower `learning_rate` (a third), a longer `warmup`, or `precision = "fp32"` in the recipe, and train again.'
)


class DivergedError(NothingLearnt):
    """The loss became NaN or infinite; ``reason`` names the step. An earlier checkpoint may still be kept."""

    def __init__(self, value: float, step: int) -> None:
        self.reason = f"the loss became {value} at step {step}"
        super().__init__(f"{self.reason}. {ADVICE}")


class OutOfMemoryInStep(Exception):
    """Memory ran out during a step; the weights are those of the step before."""


class ReplyTrainer(Trainer):  # type: ignore[misc]
    """transformers' Trainer with our loss (reply positions only) and our evaluation (mean over all reply tokens)."""

    # patch: trainer-private. The methods and attributes of Trainer that begin with `_` and are overridden here.

    # compute_loss divides by the tokens of the whole accumulated batch, so the Trainer must not divide again.
    loss_is_scaled_for_ga = True

    optimizer: Any  # Trainer types it as optional; it is None only before the training
    lr_scheduler: Any

    def __init__(
        self, *, budget: Budget, recorder: Recorder, run: Path, copies: Copies | None = None, **kwargs: Any
    ) -> None:
        """``copies`` are of the model; the collator has to make as many parts. ``kwargs`` are the Trainer's."""
        super().__init__(**kwargs)
        self.copies = copies
        self.eval_rows: Sequence[Encoded] = kwargs["eval_dataset"]
        self.budget = budget
        self.recorder = recorder
        self.run = run
        self.resumed: dict[str, Any] = {}
        self.step_loss: torch.Tensor | float = 0.0  # of the batches of the step so far, on the device
        # Our labels are already shifted: count all of them, not only those from the second on.
        self._loss_shifts_labels = False

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Return the summed loss of the batch, divided by the counted tokens of the step. NaN ends the training."""
        counted = num_items_in_batch if num_items_in_batch is not None else (inputs["labels"] != IGNORE).sum()
        loss: torch.Tensor = summed_loss(model, inputs, self.copies) / counted
        self.step_loss = self.step_loss + loss.detach()
        # Once a step, before the optimiser: to look at a figure, the processor has to wait for the GPU.
        if self.accelerator.sync_gradients:
            # All processes stop together: if one left, the others would wait for its gradients.
            everywhere = self.accelerator.gather(self.step_loss.reshape(1))
            self.step_loss = 0.0
            if not torch.isfinite(everywhere).all():
                raise DivergedError(everywhere.sum().item(), self.state.global_step + 1)
        # Processes average their gradients, but num_items_in_batch counts the tokens of all processes.
        scaled: torch.Tensor = loss * self.accelerator.num_processes
        return scaled

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """Run forward and backward. Raises OutOfMemoryInStep when there is no memory for the batch."""
        tokens = token_count(inputs)
        try:
            loss: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            self.recorder.tokens += tokens
            return loss
        # Outside of `except`: the error's traceback holds every activation of the step.
        raise OutOfMemoryInStep

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Make a scheduler that follows :class:`train.loop.callbacks.Budget`."""
        rate = partial(self.budget.rate, total_steps=num_training_steps)
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, rate)  # type: ignore[arg-type]
        return self.lr_scheduler

    def evaluate(self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval") -> Any:
        """Score all eval rows and notify the callbacks, as Trainer's own evaluation does."""
        result = measure(self.model, self.eval_rows, self.processing_class, "Evaluating")
        self.recorder.scores[self.state.global_step] = result
        metrics = {f"{metric_key_prefix}_loss": result.nll / result.tokens}
        self.log(dict(metrics))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    # ---------------------------------------------------------------- checkpoints: Trainer would pickle its own

    def checkpoint_now(self) -> Path:
        """Write the checkpoint of the last finished step."""
        self._save_checkpoint(self.model, None)
        return checkpoint.path(self.run, self.state.global_step)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        if not self.is_world_process_zero():
            return
        scaler = getattr(self.accelerator, "scaler", None)
        self.state.log_history = []  # the recorder keeps it
        state = {
            "adapter": adapter_state(self.model),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.lr_scheduler.state_dict(),
            "scaler": scaler.state_dict() if scaler is not None else None,
            "random": random_state(),
            "recorder": self.recorder.state(),
            "ended": self.control.should_training_stop or self.state.global_step >= self.state.max_steps,
        }
        extra = {TRAINER_STATE: self.state.save_to_json}
        checkpoint.write(self.run, self.state.global_step, state, self.recorder.kept_steps, extra)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        self.resumed = checkpoint.read(Path(resume_from_checkpoint))
        load_adapter_state(self.model, self.resumed["adapter"])

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            self.optimizer.load_state_dict(self.resumed["optimizer"])
            self.lr_scheduler.load_state_dict(self.resumed["scheduler"])

    def _load_scaler(self, checkpoint: str | None) -> None:
        if checkpoint is not None and self.resumed["scaler"] is not None:
            self.accelerator.scaler.load_state_dict(self.resumed["scaler"])

    def _load_rng_state(self, checkpoint: str | None) -> None:
        # Each process has its own dropout; the checkpoint holds the first one's generators only.
        if checkpoint is not None and self.accelerator.num_processes == 1:
            set_random_state(self.resumed["random"])


def measure(model: Any, rows: Sequence[Encoded], tokenizer: Any, title: str) -> Score:
    """Score the replies of rows, with a progress bar; several processes share the rows, and all get the whole score.

    Where memory runs out, fewer rows are measured at once. Raises InosukeError when it runs out with a single row.
    """
    processes = distributed.of_environment()
    mine = rows[processes.rank :: processes.count]
    try:
        part = total(score_rows(model, mine, end_ids(tokenizer), title))
    except NoMemoryLeft:
        raise InosukeError(
            "out of memory while the eval rows were measured, one at a time. Close other programs that use the memory, "
            "lower `max_length`, or choose a smaller base model."
        ) from None
    nll, end_nll, *counts = distributed.total(processes, astuple(part))
    return Score(nll, end_nll, *map(int, counts))


def adapter_state(model: Any) -> dict[str, torch.Tensor]:
    """Return the trained tensors by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def load_adapter_state(model: Any, state: dict[str, torch.Tensor]) -> None:
    """Copy trained tensors into the model. Raises InosukeError when they belong to another adapter."""
    own = adapter_state(model)
    if {n: p.shape for n, p in own.items()} != {n: p.shape for n, p in state.items()}:
        raise InosukeError("the checkpoint holds another adapter than the one that the recipe makes. Train again.")
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(state[name])


def random_state() -> dict[str, Any]:
    """Return the state of every random generator that a training uses."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"python": random.getstate(), "numpy": np.random.get_state(), "torch": torch.get_rng_state(), "cuda": cuda}


def set_random_state(state: dict[str, Any]) -> None:
    """Restore the generators."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["torch"])
    if state["cuda"] and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
