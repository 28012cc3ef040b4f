"""What happens beside the steps of a training: its ceiling of minutes, evaluations, progress, a record of figures."""

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

# The share of its minutes that a training which cannot finish in them spends on taking the learning rate down. A rate
# that falls to zero over the last fifth ends about where a schedule that knew the end from the start does (Hägele et
# al. 2024, "Scaling laws and compute-optimal training beyond fixed training durations").
COOL_DOWN = 0.2
FIRST_STEPS = 5  # a speed measured over fewer steps says little


@dataclass(slots=True)
class Budget:
    """The steps of a training, the learning rate over them, and the minutes that it may take at most.

    The schedule is a cosine over the steps: it does not know the clock, so a busy machine trains the same model, only
    later. The minutes are a ceiling. They count from the moment the budget is made; :meth:`start` marks the beginning
    of the steps and reserves seconds after them for the last evaluation.

    Where the steps that are left will not fit into the minutes that are left, the training cools down in the last of
    them: from :attr:`cooled_from` on the schedule's rate is taken to zero with the time. The state before that is an
    ordinary state of the training, from which more minutes can continue.
    """

    warmup: float
    max_minutes: float | None = None
    clock: Clock = time.monotonic
    cooled_from: int | None = None  # the last step before the cool-down
    cooling_seconds: float = 0.0
    started: float = field(init=False)
    _began: float = field(init=False)
    _end: float = field(init=False)
    _steps_before: int = 0

    def __post_init__(self) -> None:
        self.started = self._began = self.clock()
        self._end = math.inf if self.max_minutes is None else self.started + 60 * self.max_minutes

    def start(self, reserve: float = 0.0, gone: float = 0.0, step: int = 0, *, from_now: bool = False) -> None:
        """Begin the steps and reserve ``reserve`` seconds. Earlier processes did ``step`` steps in ``gone`` seconds.

        Their time is taken from the minutes too, unless these count ``from_now``.
        """
        self._began = self.clock()
        self.started = self._began - gone
        self._steps_before = step
        self._end -= reserve + (0.0 if from_now else gone)

    @property
    def left(self) -> float:
        """Seconds that the steps may still take; infinite without a ceiling."""
        return self._end - self.clock()

    @property
    def is_used(self) -> bool:
        """Whether the minutes are over."""
        return self.left <= 0

    def watch(self, step: int, total_steps: int) -> bool:
        """Return whether the cool-down begins after ``step``, which is called after every step.

        It begins in the last fifth of the minutes, and only if the steps that are left will take longer at the speed of
        this process so far.
        """
        done = step - self._steps_before
        if self.max_minutes is None or self.cooled_from is not None or done < FIRST_STEPS:
            return False
        now = self.clock()
        needed = (now - self._began) / done * (total_steps - step)
        if self.left > COOL_DOWN * (self._end - self._began) or needed <= self.left:
            return False
        self.cooled_from, self.cooling_seconds = step, max(self.left, 0.0)
        return True

    def rate(self, step: int, total_steps: int) -> float:
        """Return the factor on the peak learning rate at a step: linear warm-up, then a cosine to zero."""
        progress = min(1.0, step / total_steps)
        if progress < self.warmup:
            planned = min(1.0, max(progress, 1 / total_steps) / self.warmup)
        else:
            planned = 0.5 * (1 + math.cos(math.pi * (progress - self.warmup) / (1 - self.warmup)))
        if self.cooled_from is None:
            return planned
        return planned * min(1.0, max(self.left, 0.0) / max(self.cooling_seconds, 1e-3))


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
        total_steps: int = 0,
        patience: int = 0,
        checkpoint_minutes: float = math.inf,
        on_evaluation: Callable[[], object] = lambda: None,
        shown: bool = True,
    ) -> None:
        self.budget = budget
        self.rows = rows
        self.batch_rows = batch_rows
        self.eval_steps = eval_steps
        self.total_steps = total_steps
        self.patience = patience
        self.checkpoint_seconds = 60 * checkpoint_minutes
        self.on_evaluation = on_evaluation
        self.shown = shown
        self.steps: list[Step] = []
        self.evaluations: list[Evaluation] = []
        self.scores: dict[int, Score] = {}
        self.stopped_because = ""
        self.hit_ceiling = False
        self.tokens = 0
        self._saved = budget.clock()
        self._since = (0, budget.clock())  # tokens and time when the latest steps began, for the speed shown
        self._bar: Any = None

    def rows_at(self, step: int) -> int:
        """Return how many rows ``step`` steps see."""
        return rows_seen(step, self.rows, self.batch_rows)

    @property
    def best_step(self) -> int | None:
        """The step with the lowest eval loss so far; None if no evaluation gave a finite loss."""
        measured = [e for e in self.evaluations if math.isfinite(e.loss)]
        return min(measured, key=lambda e: e.loss).step if measured else None

    @property
    def evaluations_since_best(self) -> int:
        """The number of evaluations since the best one."""
        return sum(e.step > (self.best_step or 0) for e in self.evaluations)

    @property
    def kept_steps(self) -> set[int]:
        """The steps whose checkpoints stay: the best one, and the last one before a cool-down."""
        return {step for step in (self.best_step, self.budget.cooled_from) if step is not None}

    @property
    def resume_from(self) -> int | None:
        """The step from which more minutes would continue; None for a training that its ceiling did not stop."""
        if not self.hit_ceiling:
            return None
        return self.budget.cooled_from if self.budget.cooled_from is not None else self.steps[-1].step

    def state(self) -> dict[str, Any]:
        """Return the part of a checkpoint that :meth:`restore` needs, with the seconds of training so far."""
        # The checkpoint at the beginning of the cool-down is from before it.
        cooled_from = self.budget.cooled_from
        cooling = cooled_from is not None and bool(self.steps) and self.steps[-1].step > cooled_from
        return {
            "total_steps": self.total_steps,
            "cooled_from": cooled_from if cooling else None,
            "cooling_seconds": self.budget.cooling_seconds,
            "hit_ceiling": self.hit_ceiling and (cooling or cooled_from is None),
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
        self.hit_ceiling = state["hit_ceiling"]
        self.budget.cooled_from, self.budget.cooling_seconds = state["cooled_from"], state["cooling_seconds"]

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Show the bar."""
        hidden = not self.shown or not sys.stderr.isatty()
        if self._bar is not None:  # the bar of a trainer that ran out of memory
            self._bar.close()
        self._since = (self.tokens, self.budget.clock())
        # tqdm estimates the time left from the steps alone; ours, in the postfix, also knows the ceiling.
        form = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
        self._bar = tqdm(
            total=state.max_steps, initial=state.global_step, desc="Training", bar_format=form, disable=hidden
        )

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Request an evaluation or a checkpoint when one is due, and stop when the time is up."""
        self._bar.update(1)
        if self.budget.watch(state.global_step, state.max_steps):
            self.hit_ceiling = True
            control.should_save = True
            if self.shown:
                tqdm.write(
                    f"  The steps that are left do not fit into {self.budget.max_minutes:g} minutes: cooling down from "
                    f"step {state.global_step} of {state.max_steps}",
                    file=sys.stderr,
                )
        if self.budget.is_used and state.global_step < state.max_steps:
            self.hit_ceiling = True
            self.stopped_because = f"the ceiling of {self.budget.max_minutes:g} minutes was reached"
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
        """Return the loss, the tokens a second since the latest evaluation, and the time left by steps or ceiling."""
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


def rows_seen(step: int, rows: int, rows_a_step: int) -> int:
    """Return how many rows ``step`` steps see, of ``rows`` in an epoch, whose last step may be a smaller one."""
    epochs, rest = divmod(step, math.ceil(rows / rows_a_step))
    return epochs * rows + min(rest * rows_a_step, rows)


def evaluation_steps(steps_per_epoch: int, total_steps: int, evals_per_epoch: int) -> set[int]:
    """Return the steps after which to evaluate: even parts of each epoch, each epoch's end, and the last step."""
    parts = range(1, evals_per_epoch + 1)
    epochs = range(math.ceil(total_steps / steps_per_epoch))
    steps = {e * steps_per_epoch + math.ceil(steps_per_epoch * p / evals_per_epoch) for e in epochs for p in parts}
    return {s for s in steps if s < total_steps} | {total_steps}
