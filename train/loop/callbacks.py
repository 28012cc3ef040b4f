"""What happens beside the steps of a training: the time budget, evaluations, progress and a record of every figure."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback

from curation.console import duration
from train.model.scoring import Score

Clock = Callable[[], float]


@dataclass(slots=True)
class Budget:
    """The minutes that a run may take, and the learning rate's schedule over them.

    The time counts from the moment the budget is made. :meth:`start` marks the beginning of the steps and reserves
    seconds after them for the last evaluation.

    The schedule is a cosine that reaches zero when the steps are done or the time is up, whichever comes first, so that
    a training that the clock ends still ends with small steps.
    """

    warmup: float
    max_minutes: float | None = None
    clock: Clock = time.monotonic
    started: float = field(init=False)
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()
        self._end = math.inf if self.max_minutes is None else self.started + 60 * self.max_minutes

    def start(self, reserve: float = 0.0, gone: float = 0.0) -> None:
        """Begin the steps and reserve ``reserve`` seconds. A killed process trained ``gone`` seconds before."""
        self.started = self.clock() - gone
        self._end -= reserve + gone

    @property
    def left(self) -> float:
        """Seconds that the steps may still take; infinite without a limit."""
        return self._end - self.clock()

    @property
    def used(self) -> float:
        """The share of the steps' time that is used; 0 without a limit."""
        return (self.clock() - self.started) / max(self._end - self.started, 1e-3)

    def progress(self, step: int, total_steps: int) -> float:
        """Return the share of the training that is done, 0 to 1.

        The clock counts only once it is clear that time will run out before the steps do. So a training that fits its
        budget has the same learning rates every time, however busy the machine is.
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
    """One optimiser step. ``rows`` were seen by its end; ``seconds`` count from the start of the training."""

    step: int
    rows: int
    loss: float
    learning_rate: float
    grad_norm: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation during training: the step and the rows seen before it, and the loss per reply token."""

    step: int
    rows: int
    loss: float
    seconds: float


@dataclass(frozen=True, slots=True)
class History:
    """The record of a training so far.

    ``rows`` are the training rows of an epoch, ``base`` is the eval loss before the training, ``best_step`` the step
    with the lowest eval loss.
    """

    rows: int
    base: float
    steps: Sequence[Step]
    evaluations: Sequence[Evaluation]
    best_step: int | None


class Recorder(TrainerCallback):  # type: ignore[misc]
    """Decides when to evaluate, save and stop; shows progress and records every figure."""

    def __init__(
        self,
        budget: Budget,
        rows: int,
        batch_rows: int,
        eval_steps: set[int],
        *,
        patience: int = 0,
        checkpoint_minutes: float = math.inf,
        on_evaluation: Callable[[], object] = lambda: None,
        shown: bool = True,
    ) -> None:
        self.budget = budget
        self.rows = rows
        self.batch_rows = batch_rows
        self.eval_steps = eval_steps
        self.patience = patience
        self.checkpoint_seconds = 60 * checkpoint_minutes
        self.on_evaluation = on_evaluation
        self.shown = shown
        self.steps: list[Step] = []
        self.evaluations: list[Evaluation] = []
        self.scores: dict[int, Score] = {}
        self.stopped_because = ""
        self.tokens = 0
        self._saved = budget.clock()
        self._since = (0, budget.clock())  # tokens and time when the latest steps began, for the speed shown
        self._bar: Any = None

    def rows_at(self, step: int) -> int:
        """Return how many rows ``step`` steps see; the last step of an epoch may be a smaller one."""
        per_epoch = math.ceil(self.rows / self.batch_rows)
        epochs, rest = divmod(step, per_epoch)
        return epochs * self.rows + min(rest * self.batch_rows, self.rows)

    @property
    def best_step(self) -> int | None:
        """The step with the lowest eval loss so far; None if no evaluation gave a finite loss."""
        measured = [e for e in self.evaluations if math.isfinite(e.loss)]
        return min(measured, key=lambda e: e.loss).step if measured else None

    @property
    def evaluations_since_best(self) -> int:
        """The number of evaluations since the best one."""
        return sum(e.step > (self.best_step or 0) for e in self.evaluations)

    def state(self) -> dict[str, Any]:
        """Return the part of a checkpoint that :meth:`restore` needs, with the seconds of training so far."""
        return {
            "steps": [astuple(s) for s in self.steps],
            "evaluations": [astuple(e) for e in self.evaluations],
            "scores": {step: astuple(s) for step, s in self.scores.items()},
            "stopped_because": self.stopped_because,
            "tokens": self.tokens,
            "seconds": self.budget.clock() - self.budget.started,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue the record of a checkpoint."""
        self.steps = [Step(*s) for s in state["steps"]]
        self.evaluations = [Evaluation(*e) for e in state["evaluations"]]
        self.scores = {step: Score(*s) for step, s in state["scores"].items()}
        self.stopped_because, self.tokens = state["stopped_because"], state["tokens"]

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Show the bar."""
        hidden = not self.shown or not sys.stderr.isatty()
        if self._bar is not None:  # the bar of a trainer that ran out of memory
            self._bar.close()
        self._since = (self.tokens, self.budget.clock())
        # tqdm estimates the time left from the steps alone; ours, in the postfix, also knows the budget.
        form = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
        self._bar = tqdm(
            total=state.max_steps, initial=state.global_step, desc="Training", bar_format=form, disable=hidden
        )

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Request an evaluation or a checkpoint when one is due, and stop when the time is up."""
        self._bar.update(1)
        if self.budget.used >= 1 and state.global_step < state.max_steps:
            self.stopped_because = f"the budget of {self.budget.max_minutes:g} minutes was used"
            control.should_training_stop = True
        if control.should_training_stop or state.global_step in self.eval_steps:
            control.should_evaluate = control.should_save = True
        elif self.budget.clock() - self._saved >= self.checkpoint_seconds:
            control.should_save = True

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop when patience is used up, and call ``on_evaluation``."""
        if self.patience and self.evaluations_since_best >= self.patience and not self.stopped_because:
            if state.global_step < state.max_steps:
                self.stopped_because = f"{self.patience} evaluations brought nothing better"
            control.should_training_stop = True
        self.on_evaluation()

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note when the latest checkpoint was written."""
        self._saved = self.budget.clock()

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Record the figures of a step or an evaluation."""
        logs: dict[str, float] = kwargs["logs"]
        seconds = self.budget.clock() - self.budget.started
        rows = self.rows_at(state.global_step)
        if "loss" in logs:
            norm, rate = float(logs["grad_norm"]), logs["learning_rate"]
            self.steps.append(Step(state.global_step, rows, logs["loss"], rate, norm, seconds))
            self._bar.set_postfix_str(self.progress_text(state.max_steps), refresh=False)
        elif "eval_loss" in logs:
            self.evaluations.append(Evaluation(state.global_step, rows, logs["eval_loss"], seconds))
            if self.shown:
                passes = rows / self.rows
                tqdm.write(
                    f"  {seconds / 60:4.1f} min  epoch {passes:.2f}  training loss {self.recent_loss():.3f}  "
                    f"eval loss {logs['eval_loss']:.3f}  {self.progress_text(state.max_steps).split(', ', 1)[1]}",
                    file=sys.stderr,
                )
            self._since = (self.tokens, self.budget.clock())  # no tokens are trained during an evaluation

    def progress_text(self, total_steps: int) -> str:
        """Return the loss, the tokens a second since the latest evaluation, and the time left by steps or budget."""
        now, step = self.budget.clock(), self.steps[-1].step
        speed = (self.tokens - self._since[0]) / max(now - self._since[1], 1e-3)
        gone = now - self.budget.started
        by_steps = gone / step * (total_steps - step)
        left = max(0.0, min(by_steps, self.budget.left))
        return f"loss {self.recent_loss():.2f}, {speed:,.0f} tokens/s, {duration(left)} left"

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
