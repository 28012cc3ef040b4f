"""What a user can watch while a training runs: the loss curve, the line of figures, TensorBoard."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.console import duration
from curation.errors import UsageError
from tests.train.conftest import ONE, TWO, Project
from train.commands.train import train as train_command
from train.loop import tensorboard
from train.loop.callbacks import Budget, Evaluation, History, Recorder, Step
from train.results import loss_curve
from train.results.metrics_json import overfitting


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_line_of_figures_has_the_loss_the_speed_and_the_time_left() -> None:
    clock = Clock()
    recorder = Recorder(Budget(0.0, clock=clock), 100, 10, set())
    clock.now, recorder.tokens = 20.0, 1000
    recorder.steps.append(Step(2, 20, 1.5, 1e-3, 1.0, 20.0))
    assert recorder.progress_text(10) == "loss 1.50, 50 tokens/s, 1:20 left"
    limited = Recorder(Budget(0.0, max_minutes=1, clock=clock), 100, 10, set())
    limited.steps.append(Step(2, 20, 1.5, 1e-3, 1.0, 20.0))
    clock.now = 50.0
    assert limited.progress_text(1000).endswith("0:30 left")  # what the budget leaves, not what the steps would take
    assert [duration(s) for s in (0, 59.6, 3723)] == ["0:00", "1:00", "1:02:03"]


def test_the_loss_curve_is_drawn_from_the_first_evaluation_on(tmp_path: Path) -> None:
    file = tmp_path / "loss_curve.png"
    steps = [Step(1, 4, 3.0, 1e-3, 1.0, 1.0)]
    history = History(8, 3.2, steps, [Evaluation(1, 4, 2.9, 1.0)], 1)
    loss_curve.draw(history, file, "tiny")
    first = file.read_bytes()
    assert first.startswith(b"\x89PNG")
    steps.append(Step(2, 8, 2.0, 1e-3, 1.0, 2.0))
    loss_curve.draw(history, file, "tiny")
    assert file.read_bytes() != first
    assert [p.name for p in tmp_path.iterdir()] == ["loss_curve.png"]


def test_the_curve_is_drawn_at_each_evaluation_and_tensorboard_has_every_step(
    trainer: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    drawn: list[int] = []
    real = loss_curve.draw

    def draw(history: History, file: Path, title: str) -> None:
        drawn.append(len(history.evaluations))
        real(history, file, title)

    monkeypatch.setattr(loss_curve, "draw", draw)
    project = trainer(train=[ONE, TWO, ONE, TWO])
    recipe = project.recipe(epochs=2, evals_per_epoch=2, samples=0)
    options = ["--recipe", recipe, "--run", "r", "--persona", str(project.persona), "--tensorboard"]
    done = CliRunner().invoke(train_command, options, catch_exceptions=False)
    assert done.exit_code == 0
    assert drawn == [1, 2, 3, 4, 4]
    events = accumulator.EventAccumulator(str(project.root / "models" / "r" / tensorboard.FOLDER)).Reload()
    assert [e.step for e in events.Scalars("train/loss")] == [1, 2, 3, 4]
    assert [e.step for e in events.Scalars("train/eval_loss")] == [1, 2, 3, 4]
    assert "epoch   training loss   validation" in done.stdout
    assert "Memory: about" in done.stderr
    assert "Time: about" in done.stderr


@pytest.mark.parametrize(
    ("training", "evaluated", "named"),
    [
        (
            [3.0, 2.0, 1.0, 0.5],
            [2.5, 2.6],
            "overfitting: validation loss rose from 2.500 (epoch 1.00) to 2.600 while the training loss fell from "
            "2.000 to 0.500",
        ),
        (
            [3.0, 2.0, 2.5, 4.0],
            [2.5, 2.6],
            "validation loss rose from 2.500 (epoch 1.00) to 2.600, and the training loss did not fall either (2.000 "
            "to 4.000): too high a learning rate?",
        ),
        ([3.0, 2.0, 1.0, 0.5], [2.5, 2.4], None),
    ],
)
def test_overfitting_is_named(training: list[float], evaluated: list[float], named: str | None) -> None:
    history = History(
        rows=8,
        base=4.0,
        steps=[Step(i + 1, (i + 1) * 4, loss, 1e-3, 1.0, 1.0) for i, loss in enumerate(training)],
        evaluations=[Evaluation(2 * i + 2, 8 * (i + 1), loss, 1.0) for i, loss in enumerate(evaluated)],
        best_step=2 if evaluated[0] < evaluated[1] else 4,
    )
    assert overfitting(history, steps_per_epoch=2) == named


def test_without_tensorboard_the_option_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("torch.utils.tensorboard"):
            raise ImportError("No module named 'tensorboard'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UsageError, match=r"--tensorboard: No module named 'tensorboard'. Install it with"):
        tensorboard.writer(tmp_path)
