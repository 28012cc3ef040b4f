"""What happens beside the steps of a training: the time budget, evaluations, progress and the record of it all."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback

Clock = Callable[[], float]


@dataclass(slots=True)
class Budget:
    """Minutes that a run may take, and how far along that makes its training.

    They count from the moment the budget is made; :meth:`start` says when the steps begin, and how many seconds have to
    be left after them for the last evaluation.

    Also the learning rate's schedule: a cosine that reaches zero when the steps are done or the time is up, whichever
    comes first, so that a training cut short by the clock still ends with small steps.
    """

    warmup: float
    max_minutes: float | None = None
    clock: Clock = time.monotonic
    started: float = field(init=False)
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()
        self._end = math.inf if self.max_minutes is None else self.started + 60 * self.max_minutes

    def start(self, reserve: float = 0.0) -> None:
        """Begin the steps; keep ``reserve`` seconds back."""
        self.started = self.clock()
        self._end -= reserve

    @property
    def used(self) -> float:
        """The share of the steps' time that is gone; 0 without a limit."""
        return (self.clock() - self.started) / max(self._end - self.started, 1e-3)

    def progress(self, step: int, total_steps: int) -> float:
        """Return how much of the training is behind, 0 to 1.

        The clock counts only once it is clear that it will run out first. So a training that fits its budget has the
        same learning rates every time, whatever else the machine does.
        """
        by_steps = step / total_steps
        return min(1.0, max(by_steps, self.used) if step >= 5 else by_steps)

    def rate(self, step: int, total_steps: int) -> float:
        """Return the factor on the peak learning rate at a step: linear warm-up, then a cosine to zero."""
        progress = self.progress(step, total_steps)
        if progress < self.warmup:
            return min(1.0, max(progress, 1 / total_steps) / self.warmup)
        return 0.5 * (1 + math.cos(math.pi * (progress - self.warmup) / (1 - self.warmup)))


@dataclass(frozen=True, slots=True)
class Step:
    """One optimiser step: its number, how many rows were seen before its end, its loss and the seconds since start."""

    step: int
    rows: int
    loss: float
    learning_rate: float
    grad_norm: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation during training: after which step and row, and the loss per reply token."""

    step: int
    rows: int
    loss: float
    seconds: float


class Recorder(TrainerCallback):  # type: ignore[misc]
    """Evaluates at even parts of an epoch, stops when the budget is used, shows progress and keeps every figure."""

    def __init__(self, budget: Budget, rows: int, batch_rows: int, eval_steps: set[int]) -> None:
        self.budget = budget
        self.rows = rows
        self.batch_rows = batch_rows
        self.eval_steps = eval_steps
        self.steps: list[Step] = []
        self.evaluations: list[Evaluation] = []
        self.stopped_because = ""
        self._bar: Any = None

    def rows_at(self, step: int) -> int:
        """Return how many rows ``step`` steps see; an epoch's last step may be a smaller one."""
        per_epoch = math.ceil(self.rows / self.batch_rows)
        epochs, rest = divmod(step, per_epoch)
        return epochs * self.rows + min(rest * self.batch_rows, self.rows)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Show the bar."""
        self._bar = tqdm(total=state.max_steps, desc="Training", unit="step", disable=not sys.stderr.isatty())

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ask for an evaluation where one is due, and for the end when the time is up."""
        self._bar.update(1)
        if self.budget.used >= 1 and state.global_step < state.max_steps:
            self.stopped_because = f"the budget of {self.budget.max_minutes:g} minutes was used"
            control.should_training_stop = True
        if control.should_training_stop or state.global_step in self.eval_steps:
            control.should_evaluate = control.should_save = True

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Keep a step's or an evaluation's figures."""
        logs: dict[str, float] = kwargs["logs"]
        seconds = self.budget.clock() - self.budget.started
        rows = self.rows_at(state.global_step)
        if "loss" in logs:
            norm, rate = float(logs["grad_norm"]), logs["learning_rate"]
            self.steps.append(Step(state.global_step, rows, logs["loss"], rate, norm, seconds))
            self._bar.set_postfix(loss=f"{logs['loss']:.2f}", rows=rows, refresh=False)
        elif "eval_loss" in logs:
            self.evaluations.append(Evaluation(state.global_step, rows, logs["eval_loss"], seconds))
            passes = rows / self.rows
            tqdm.write(
                f"  {seconds / 60:4.1f} min  epoch {passes:.2f}  training loss {self.recent_loss():.3f}  "
                f"eval loss {logs['eval_loss']:.3f}",
                file=sys.stderr,
            )

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Close the progress bar."""
        self._bar.close()

    def recent_loss(self, count: int = 10) -> float:
        """Return the mean training loss of the latest steps."""
        recent = self.steps[-count:]
        return sum(s.loss for s in recent) / len(recent) if recent else math.nan


def evaluation_steps(steps_per_epoch: int, total_steps: int, evals_per_epoch: int) -> set[int]:
    """Return the steps after which to evaluate: even parts of each epoch, each epoch's end, and the last step."""
    parts = range(1, evals_per_epoch + 1)
    epochs = range(math.ceil(total_steps / steps_per_epoch))
    steps = {e * steps_per_epoch + math.ceil(steps_per_epoch * p / evals_per_epoch) for e in epochs for p in parts}
    return {s for s in steps if s < total_steps} | {total_steps}
