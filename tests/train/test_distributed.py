"""Several processes that train one adapter: `accelerate launch`, here with two on the CPU over gloo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import ROOT
from tests.train.conftest import ONE, TWO, Project
from train.distributed import ALONE, of_environment
from train.recipe import Recipe, for_processes


def test_the_environment_names_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.delenv("RANK", raising=False)
    assert of_environment() == ALONE
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert (of_environment().count, of_environment().is_first) == (2, False)


def test_the_rows_of_a_step_are_divided_between_processes() -> None:
    recipe = Recipe(name="t", base="t", batch_size=4, gradient_accumulation=2, max_minutes=8)
    assert for_processes(recipe, 1) == (recipe, [])
    two, reasons = for_processes(recipe, 2)
    assert (two.batch_size, two.gradient_accumulation, two.max_minutes) == (4, 1, None)
    assert reasons[0] == "gradient_accumulation = 1 in each of 2 processes: the same rows a step"
    assert reasons[1].startswith("max_minutes is ignored")
    four, _ = for_processes(recipe, 4)
    assert (four.batch_size, four.gradient_accumulation) == (1, 2)
    three, reasons = for_processes(recipe, 3)
    assert (three.batch_size, three.gradient_accumulation) == (4, 2)
    assert reasons[0] == "24 rows a step instead of 8: 8 cannot be divided by 3 processes"


LAUNCH = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
# accelerate calls several processes on one machine `--multi_gpu`; with `--cpu` it would start only one here.
LAUNCH += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
DIVERGES = """
import os, sys
from train.loop import trainer
from train.commands.train import train
real, calls = trainer.summed_loss, []
def breaks(model, batch, copies):
    calls.append(1)
    return real(model, batch, copies) * (float("nan") if os.environ["RANK"] == "1" and len(calls) == 3 else 1.0)
trainer.summed_loss = breaks
train(sys.argv[1:])
"""


def launched(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LAUNCH, *command],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )


@pytest.mark.slow
def test_all_processes_stop_when_the_loss_of_one_is_nan(trainer: Callable[..., Project]) -> None:
    project = trainer(train=[ONE, TWO, TWO, ONE, ONE, TWO, ONE, TWO])
    script = project.root / "diverges.py"
    script.write_text(DIVERGES, encoding="utf-8")
    recipe = project.recipe(batch_size=2, epochs=1, samples=0, evals_per_epoch=4)
    done = launched(str(script), "--recipe", recipe, "--run", "two", "--persona", str(project.persona), "--no-gguf")
    assert done.returncode == 1
    metrics = json.loads((project.root / "models" / "two" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["training"]["stopped_because"] == "the loss became nan at step 3"
    assert metrics["training"]["best_step"] in (1, 2)


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(trainer: Callable[..., Project]) -> None:
    project = trainer(train=[ONE, TWO, TWO, ONE, ONE, TWO, ONE, TWO])
    recipe = project.recipe(batch_size=2, epochs=2, samples=0, evals_per_epoch=2)
    alone = project.train(recipe=recipe, run="alone")
    command = ["-m", "train", "train", "--recipe", recipe, "--run", "two", "--persona", str(project.persona), "--json"]
    command.append("--no-gguf")
    done = launched(*command)
    assert done.returncode == 0, done.stderr[-3000:]
    two = json.loads(done.stdout.strip().splitlines()[-1])  # the first process alone prints
    assert two["recipe"]["batch_size"] == 1
    assert two["training"]["steps"] == alone["training"]["steps"] == 8
    assert two["training"]["rows_seen"] == 16
    mine = [e["loss"] for e in two["history"]["evaluations"]]
    assert mine == pytest.approx([e["loss"] for e in alone["history"]["evaluations"]], rel=1e-3)
    steps = [s["loss"] for s in two["history"]["steps"]]
    assert steps == pytest.approx([s["loss"] for s in alone["history"]["steps"]], rel=1e-3)
    left = sorted(p.name for p in (project.root / "models").iterdir())
    assert left == ["alone", "latest", "two"]
