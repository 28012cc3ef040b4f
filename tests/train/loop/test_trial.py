"""`inosuke train --check`: two steps, figures, and nothing that is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from curation.errors import InosukeError, UsageError
from tests.train.conftest import ONE, TWO, Project
from train.commands.train import train
from train.data.dialogues import Encoded
from train.loop import trial
from train.recipe import Recipe

Make = Callable[..., Project]


def check(project: Project, *more: str, **recipe: Any) -> Result:
    asked = ["--check", "--recipe", project.recipe(**recipe), "--persona", str(project.persona), *more]
    return CliRunner().invoke(train, asked, catch_exceptions=False)


@pytest.mark.slow
def test_two_steps_of_the_longest_rows_give_a_forecast_and_leave_nothing(trainer: Make) -> None:
    project = trainer(train=[ONE, TWO, ONE, TWO, ONE, ONE], evaluation=[TWO, ONE])
    done = check(project, "--json", gradient_accumulation=1, epochs=3, evals_per_epoch=2, max_minutes=0.001)
    found = json.loads(done.stdout)
    assert not (project.root / "models").exists()
    assert (found["base"], found["quantization"], found["precision"]) == ("tiny-qwen2", "nf4", "fp32")
    assert (found["batch_size"], found["epochs"], found["evaluations"]) == (2, 3, 6)
    assert found["peak_bytes"] < found["whole_bytes"]
    assert found["whole"] == pytest.approx(3 * found["epoch"] + 6 * found["evaluation"])
    # An epoch has three steps; those of the short rows are shorter.
    assert found["step"] < found["epoch"] < 3 * found["step"]
    done = check(project, epochs=3, evals_per_epoch=2, max_minutes=0.001)
    assert "Trained ids are served ids: proved on 8 dialogues of the export" in done.stderr
    said = done.stdout
    assert "Check of recipe tiny on tiny-qwen2 (nf4, fp32); nothing was kept" in said
    assert "`max_minutes` = 0.001 ends it after about" in said


@pytest.mark.slow
def test_a_batch_that_does_not_fit_is_halved_and_named(trainer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import Qwen2Model

    real = Qwen2Model.forward
    room = [1]

    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        if torch.is_grad_enabled() and sum(len(own) for _, *own in kwargs["rows"]) > room[0]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Qwen2Model, "forward", forward)
    project = trainer(train=[ONE, TWO, ONE, TWO])
    said = check(project, batch_size=4).stdout
    assert "largest batch   1 row, " in said
    assert "(4 rows, as in the recipe, do not fit)" in said
    room[0] = 0
    with pytest.raises(InosukeError, match="out of memory in step 1, with one row in a batch"):
        check(project)


def test_options_of_a_run_are_refused(trainer: Make) -> None:
    with pytest.raises(UsageError, match="--check makes no run"):
        check(trainer(), "--run", "r")


def test_the_tokens_of_an_epoch_are_those_of_its_batches() -> None:
    rows = [Encoded(str(i), [1, 2, 3, *range(10, 10 + i)], [0, 0, 0] + [1] * i, 1) for i in (4, 5, 6, 7)]
    packed = Recipe(name="t", base="t", max_length=64)
    assert [len(r.input_ids) for r in trial.longest(rows, 2)] == [10, 9]
    # The three first tokens are common, but the last of them predicts a reply and belongs to its row.
    assert list(trial.tokens_of_batches(rows, packed, 2)) == [2 + 5 + 6, 2 + 7 + 8]
    assert trial.tokens_of_epoch(rows, packed, 4) == 2 + 5 + 6 + 7 + 8
    assert trial.tokens_of_epoch(rows, packed.model_copy(update={"layout": "padded"}), 2) == 4 * 64
