"""The figures of a training: its epochs, what JSON can hold, the summary, the model card."""

from __future__ import annotations

import ast
import json
import math
from pathlib import Path
from typing import Any

import pytest

from curation.contracts.run import RunMetrics, read_metrics, write_metrics
from tests.train.conftest import ONE, TWO, write_export
from train.data.dialogues import Encoded, load_export
from train.loop.callbacks import Evaluation, History, Step
from train.loop.preparation import Rows, Schedule
from train.loop.qlora import Ending, Result
from train.loop.speaker import Sampled
from train.model.base_model import BaseModel
from train.model.generate import Reply
from train.model.scoring import Score
from train.recipe import Recipe
from train.results import metrics_json, run_card


def step(number: int, loss: float, norm: float = 1.0) -> Step:
    return Step(number, 4 * number, loss, 1e-3, norm, 10.0 * number)


HISTORY = History(
    rows=8,
    base=3.0,
    steps=[step(1, 3.0), step(2, 2.0, norm=math.inf), step(3, 1.5)],
    evaluations=[Evaluation(2, 8, 2.5, 21.0)],
    best_step=2,
)


@pytest.fixture
def figures(tmp_path: Path) -> Any:
    """Return a function that makes a run's figures, with an adapter of this nll."""
    export = load_export(write_export(tmp_path, [ONE, TWO], [TWO, ONE]))
    rows = [Encoded(f"eval{i}", [1, 2], [0, 1], 1) for i in range(2)]

    def make(adapter_nll: float) -> RunMetrics:
        result = Result(
            base_model=BaseModel("tiny", str(tmp_path / "base"), "ab", "folder"),
            recipe=Recipe(name="cpu", base="tiny"),
            rows=Rows(train=rows * 4, validation=rows, eval=rows, left_out=["too-long"]),
            schedule=Schedule(rows_a_step=4, steps_per_epoch=2, total_steps=4),
            trainable_parameters=7,
            base=[Score(10.0, 1.0, 5, 20, 1)] * 2,
            adapter=[Score(adapter_nll / 2 + x, 0.5, 5, 20, 1) for x in (-1.0, 1.0)],
            weights="unquantised weights (fp32)",
            history=HISTORY,
            ending=Ending(stopped_because="", diverged=False, seconds=31.0, batch_size=4, resumed=False),
            tokens=99,
            peak_bytes=10**9,
        )
        found = metrics_json.metrics("r", export, Recipe(name="cpu", base="tiny"), result, ["a reason"], tmp_path)
        assert found.samples == []  # they are drawn when the run has its name
        return metrics_json.with_samples(found, [Sampled("Ai | đó?", Reply("Tôi", False), Reply("Ta!", True))])

    return make


def test_an_epoch_that_was_cut_short_has_its_share_of_the_rows() -> None:
    whole, cut = metrics_json.epochs(HISTORY, steps_per_epoch=2)
    assert (whole.epoch, whole.training_loss_from, whole.training_loss_to, whole.eval_loss) == (1, 3.0, 2.0, 2.5)
    assert (whole.seconds, whole.share, whole.best) == (21.0, 1.0, True)
    assert (cut.epoch, cut.training_loss_to, cut.eval_loss, cut.share, cut.best) == (2, 1.5, None, 0.5, False)


def test_the_keys_that_other_commands_read_survive_the_file(figures: Any, tmp_path: Path) -> None:
    metrics = figures(10.0)
    write_metrics(tmp_path, metrics)
    stored = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert stored["eval"]["base"]["reply_nll_per_char"] == 0.5
    assert stored["eval"]["adapter"]["loss"] == 1.0
    assert stored["eval"]["base"]["text_nll_per_char"] == pytest.approx(18 / 40)
    assert (stored["eval"]["groups"], stored["eval"]["weights"]) == (2, "unquantised weights (fp32)")
    change = stored["eval"]["figures"]["reply_nll_per_char"]["difference"]
    assert change == {"value": -0.25, "low": pytest.approx(-0.3), "high": pytest.approx(-0.2), "n": 2, "groups": 2}
    assert stored["eval"]["by"]["kind"]["conversation"]["rows"] == 2
    assert stored["base_model"] == {
        "name": "tiny",
        "path": "base",
        "sha256": "ab",
        "source": "folder",
        "vocabulary": None,
    }
    assert stored["dataset"]["path"] == "datasets/export/v1"
    assert stored["training"]["left_out"] == ["too-long"]
    assert stored["recipe"]["resolved"] == ["a reason"]
    assert stored["history"]["steps"][1]["grad_norm"] is None  # infinite
    assert read_metrics(tmp_path) == metrics


def test_the_summary_of_a_run_that_is_worse_warns_and_does_not_say_serve(figures: Any) -> None:
    good = metrics_json.summary(figures(10.0), Path("models/r"))
    assert "measured on unquantised weights (fp32)" in good
    assert "chosen on the eval split itself" in good
    assert "(50% lower)" in good and good.endswith("Next: make serve   (or: inosuke serve)")
    worse = metrics_json.summary(figures(30.0), Path("models/r"))
    assert "HIGHER: do not use it" in worse and "not better than its base" in worse
    assert "make serve" not in worse


def test_the_card_has_the_figures_the_samples_and_a_warning_where_one_is_due(figures: Any) -> None:
    card = run_card.text(figures(10.0), "Mira")
    assert "# Mira: r" in card
    python = card.partition("```python\n")[2].partition("```")[0]
    assert 'from_pretrained("…")  # tiny, whose weights have SHA-256 ab' in python and ast.parse(python)
    assert "| loss per reply token | 2.000 | 1.000 |" in card
    assert "changes by -0.250 (-0.300 to -0.200): a 95 % interval over 2 groups" in card
    assert "chosen on the eval split itself" in card
    assert "| Ai \\| đó? | Tôi … | Ta! |" in card
    assert "do not use it" not in card
    assert "**The adapter is not better than its base: do not use it.**" in run_card.text(figures(30.0), "Mira")
