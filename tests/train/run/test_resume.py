"""A training that is killed, or runs out of memory or disk, resumes from its last checkpoint, to the same end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from filelock import FileLock

from curation.errors import InosukeError, UsageError
from tests.conftest import ROOT
from tests.train.conftest import ONE, TWO, Project
from train.commands.train import train as train_command
from train.loop.trainer import ReplyTrainer
from train.run import checkpoint, checkpoint_state

Make = Callable[..., Project]
# Twelve steps, an evaluation and a checkpoint every two; dropout, so that the random generators must continue, too.
RECIPE = {"epochs": 3, "batch_size": 2, "evals_per_epoch": 2, "lora_dropout": 0.1, "learning_rate": 1e-3, "samples": 0}
ROWS = [ONE, TWO, TWO, ONE, ONE, TWO, ONE, TWO]


def train(project: Project, name: str = "r", **recipe: Any) -> dict[str, Any]:
    return project.train(recipe=project.recipe(**{**RECIPE, **recipe}), run=name)


def resume(project: Project, name: str = "r") -> dict[str, Any]:
    said: list[str] = []
    content = project.train(said.append, resume=name)
    assert any("Continuing from step" in line for line in said)
    return content


def losses(content: dict[str, Any]) -> list[float]:
    return [s["loss"] for s in content["history"]["steps"]] + [e["loss"] for e in content["history"]["evaluations"]]


def adapter(project: Project, name: str) -> bytes:
    return (project.root / "models" / name / "adapter" / "adapter_model.safetensors").read_bytes()


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[Any], None]], None]:
    """Call a function in a step (counted from 1), before its forward pass."""
    real = ReplyTrainer.compute_loss

    def put(step: int, happen: Callable[[Any], None]) -> None:
        def compute_loss(self: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            if self.state.global_step + 1 == step:
                happen(inputs)
            return real(self, model, inputs, *args, **kwargs)

        monkeypatch.setattr(ReplyTrainer, "compute_loss", compute_loss)

    return put


KILLED = """
import os, signal, sys
from train.commands.train import train
from train.loop.trainer import ReplyTrainer
real = ReplyTrainer.training_step
def step(self, *args, **kwargs):
    if self.state.global_step == 7:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return real(self, *args, **kwargs)
ReplyTrainer.training_step = step
train(sys.argv[1:])
"""


@pytest.mark.slow
def test_kill_9_and_resume_give_what_an_unbroken_run_gives(trainer: Make) -> None:
    project = trainer(train=ROWS)
    unbroken = train(project, "unbroken")
    options = ["--recipe", project.recipe(**RECIPE), "--run", "r", "--persona", str(project.persona)]
    killed = subprocess.run(
        [sys.executable, "-c", f"import torch; torch.set_num_threads(1)\n{KILLED}", *options],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert killed.returncode not in (0, 1, 2), killed.stderr.decode()
    partial = project.root / "models" / ".r.partial"
    assert checkpoint.latest(partial) == 6
    assert not (project.root / "models" / "r").exists()
    resumed = resume(project)
    assert losses(resumed) == losses(unbroken)
    assert resumed["eval"]["adapter"] == unbroken["eval"]["adapter"]
    assert adapter(project, "r") == adapter(project, "unbroken")
    assert resumed["training"]["resumed"]
    assert not partial.exists()
    assert not (project.root / "models" / "r" / "checkpoints").exists()


class SlowMachine:
    """A clock by which loading takes no time, and each step as many seconds as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from train.loop import qlora

        self.now, self.seconds = 0.0, 1.0
        real, budget = ReplyTrainer.training_step, qlora.Budget

        def training_step(trainer: Any, *args: Any, **kwargs: Any) -> Any:
            self.now += self.seconds
            return real(trainer, *args, **kwargs)

        monkeypatch.setattr(ReplyTrainer, "training_step", training_step)
        monkeypatch.setattr(qlora, "Budget", partial(budget, clock=lambda: self.now))
        monkeypatch.setattr(qlora.time, "monotonic", lambda: self.now)


def invoke(project: Project, *options: str) -> Any:
    done = CliRunner().invoke(
        train_command, [*options, "--no-gguf", "--persona", str(project.persona)], catch_exceptions=False
    )
    assert done.exit_code == 0
    return done


def figures(project: Project, name: str = "r") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((project.root / "models" / name / "metrics.json").read_text(encoding="utf-8"))
    return content


@pytest.mark.slow
def test_a_busy_machine_trains_the_same_dialogues_to_the_same_adapter(
    trainer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = trainer(train=ROWS)
    recipe = project.recipe(**RECIPE, max_minutes=60)
    invoke(project, "--recipe", recipe, "--run", "quiet")
    slow = SlowMachine(monkeypatch)
    slow.seconds = 250.0  # twelve steps in 50 minutes
    invoke(project, "--recipe", recipe, "--run", "busy")
    assert figures(project, "busy")["training"]["seconds"] == 3000
    for name in ("quiet", "busy"):
        training = figures(project, name)["training"]
        assert (training["planned_rows"], training["rows_seen"], training["share_of_planned"]) == (24, 24, 1.0)
        assert (training["hit_ceiling"], training["resume_from"]) == (False, None)
    assert adapter(project, "busy") == adapter(project, "quiet")


@pytest.mark.slow
def test_minutes_that_do_not_suffice_can_be_lifted_to_what_an_unbroken_run_gives(
    trainer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = trainer(train=ROWS)
    unbroken = train(project, "unbroken")
    SlowMachine(monkeypatch)
    cut = invoke(project, "--recipe", project.recipe(**RECIPE, max_minutes=10 / 60), "--run", "r")
    first = figures(project)
    training = first["training"]
    assert (training["planned_rows"], training["rows_seen"], training["max_minutes"]) == (24, 20, 10 / 60)
    assert (training["hit_ceiling"], training["resume_from"], training["planned_steps"]) == (True, 8, 12)
    rates = [s["learning_rate"] for s in first["history"]["steps"]]
    assert rates[:8] == [s["learning_rate"] for s in unbroken["history"]["steps"]][:8]
    assert "saw 20 of 24 planned dialogues (83%; 3 epochs of 8)" in cut.stdout
    assert "Continue from step 8 of 12: `inosuke train --resume r --minutes " in cut.stdout
    card = (project.root / "models" / "r" / "README.md").read_text(encoding="utf-8")
    assert "cut it short" in card
    assert "saw 20 of 24 planned dialogues" in card

    more = invoke(project, "--resume", "r", "--minutes", "60")
    resumed = figures(project)
    assert "Continuing from step 8 of 12" in more.stderr
    assert [s["step"] for s in resumed["history"]["steps"]] == list(range(1, 13))
    assert losses(resumed) == losses(unbroken)
    assert adapter(project, "r") == adapter(project, "unbroken")
    assert resumed["training"]["rows_seen"] == 24
    assert resumed["eval"]["adapter"]["loss"] < first["eval"]["adapter"]["loss"]
    left = sorted(p.name for p in (project.root / "models").iterdir() if p.name != "latest")
    assert left == ["r", "unbroken"]
    assert not (project.root / "models" / "r" / "checkpoints").exists()
    with pytest.raises(UsageError, match="run 'r' is finished"):
        project.train(resume="r", minutes=60)


@pytest.mark.slow
def test_more_minutes_that_bring_nothing_better_leave_the_run_as_it_was(
    trainer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = trainer(train=ROWS)
    machine = SlowMachine(monkeypatch)
    invoke(project, "--recipe", project.recipe(**RECIPE, max_minutes=10 / 60), "--run", "r")
    first, weights = figures(project), adapter(project, "r")
    # The machine is so much slower now that the first step uses up the minutes.
    machine.seconds = 100.0
    done = invoke(project, "--resume", "r", "--minutes", "0.1")
    assert "Run r: the further training brought nothing better" in done.stdout
    assert (figures(project), adapter(project, "r")) == (first, weights)
    assert checkpoint.steps(project.root / "models" / "r") == [9]  # what was trained is not lost
    machine.seconds = 1.0
    assert "Continuing from step 9 of 12" in invoke(project, "--resume", "r", "--minutes", "60").stderr
    assert figures(project)["training"]["rows_seen"] == 24


@pytest.mark.parametrize("damage", ["null", "[]", '"text"', "{}", '{"recipe": [], "reasons": 3}', "", "\x00"])
def test_a_damaged_start_file_is_an_error_and_no_traceback(trainer: Make, damage: str) -> None:
    project = trainer(train=ROWS)
    partial_run = project.root / "models" / ".r.partial"
    checkpoint.path(partial_run, 2).mkdir(parents=True)
    (partial_run / "start.json").write_text(damage, encoding="utf-8")
    with pytest.raises(InosukeError, match=r"start.json: damaged \(.*Remove the folder and train again"):
        project.train(resume="r")


@pytest.mark.slow
def test_ctrl_c_keeps_the_checkpoint_and_says_how_to_resume(
    trainer: Make, at_step: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = trainer(train=ROWS)

    def interrupt(inputs: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context():
        at_step(6, interrupt)
        with pytest.raises(InosukeError, match=r"run r is kept up to step 4; continue with `inosuke train --resume r`"):
            train(project)
    with pytest.raises(UsageError, match=r"was interrupted after step 4. Continue it with `inosuke train --resume r`"):
        train(project)
    with pytest.raises(UsageError, match=r"--resume takes recipe, export and name from the run"):
        project.train(recipe="cpu", resume="r")
    with pytest.raises(UsageError, match=r"'other' has no checkpoint to resume from. Interrupted .* checkpoint: r\."):
        project.train(resume="other")
    at_step(0, interrupt)
    assert resume(project)["training"]["steps"] == 12
    with pytest.raises(UsageError, match=r"'r' is finished. Interrupted runs with a checkpoint: none"):
        resume(project)


@pytest.mark.slow
def test_a_run_that_was_killed_after_its_last_step_only_has_to_be_written(trainer: Make, at_step: Any) -> None:
    from train.loop import qlora

    project = trainer(train=ROWS)

    def killed(*args: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(InosukeError, match="kept up to step 12"):
        patch.setattr(qlora, "save_adapter", killed)
        train(project)
    at_step(13, lambda inputs: pytest.fail("a step beyond the last"))
    assert resume(project)["training"]["steps"] == 12


@pytest.mark.slow
def test_a_full_disk_in_the_middle_of_a_checkpoint_leaves_the_one_before(
    trainer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = trainer(train=ROWS)
    real = checkpoint_state.save_file
    written: list[Path] = []

    def full(tensors: Any, file: Path) -> None:
        written.append(file)
        if len(written) == 3:
            file.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        real(tensors, file)

    with monkeypatch.context() as patch, pytest.raises(InosukeError) as caught:
        patch.setattr(checkpoint_state, "save_file", full)
        train(project, "MyRun")
    assert "No space left on device while the checkpoint of step 6 was written" in str(caught.value)
    assert "Run MyRun is kept up to step 4; continue with `inosuke train --resume MyRun`" in str(caught.value)
    kept = sorted(p.name for p in (project.root / "models" / ".MyRun.partial" / "checkpoints").iterdir())
    assert kept[-1] == "step-000004"
    assert all(name.startswith("step-") for name in kept)
    resumed = resume(project, "MyRun")
    assert losses(resumed) == losses(train(project, "unbroken"))


@pytest.mark.slow
def test_out_of_memory_halves_the_batch_and_continues_from_the_last_step(trainer: Make, at_step: Any) -> None:
    project = trainer(train=ROWS)
    recipe = {"batch_size": 4, "lora_dropout": 0.0, "epochs": 2}
    unhindered = train(project, "unhindered", **recipe)

    def too_large(inputs: Any) -> None:
        if int(inputs["row"].max()) + 1 > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    at_step(4, too_large)
    said: list[str] = []
    content = project.train(said.append, recipe=project.recipe(**{**RECIPE, **recipe}), run="r")
    assert "Out of memory in step 4: continuing from step 3 with batches of 2 instead of 4, 2 of them in a step" in (
        "\n".join(said)
    )
    assert [s["step"] for s in content["history"]["steps"]] == [1, 2, 3, 4]
    assert losses(content) == pytest.approx(losses(unhindered), rel=1e-4)
    assert (content["training"]["batch_size"], unhindered["training"]["batch_size"]) == (2, 4)


@pytest.mark.slow
def test_out_of_memory_with_one_row_says_what_would_make_it_fit(trainer: Make, at_step: Any) -> None:
    project = trainer(train=ROWS)

    def none_left(inputs: Any) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:119] . DefaultCPUAllocator: can't allocate memory")

    at_step(3, none_left)
    with pytest.raises(InosukeError, match=r"out of memory in step 3, with one row.*checkpointing = true.*\n.*step 2"):
        train(project)
    at_step(0, none_left)
    assert resume(project)["training"]["steps"] == 12


@pytest.mark.slow
def test_out_of_memory_in_the_optimiser_begins_again_without_the_half_step(
    trainer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = trainer(train=ROWS)
    recipe = {"batch_size": 4, "lora_dropout": 0.0, "epochs": 2, "evals_per_epoch": 1}
    unhindered = train(project, "unhindered", **recipe)
    real, steps = torch.optim.AdamW.step, []

    def full(self: Any, *args: Any) -> Any:
        steps.append(1)
        if len(steps) not in (1, 5):
            return real(self, *args)
        with torch.no_grad():  # a library that updates one tensor after another stops in the middle
            self.param_groups[0]["params"][0].add_(1.0)
        raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")

    monkeypatch.setattr(torch.optim.AdamW, "step", full)
    said: list[str] = []
    content = project.train(said.append, recipe=project.recipe(**{**RECIPE, **recipe}), run="r")
    told = [line for line in said if line.startswith("Out of memory")]
    assert told[0].startswith("Out of memory in step 1: continuing from step 0 with batches of 2 instead of 4")
    assert told[1].startswith("Out of memory in step 4: continuing from step 2 with batches of 1 instead of 2")
    assert [s["step"] for s in content["history"]["steps"]] == [1, 2, 3, 4]
    assert losses(content) == pytest.approx(losses(unhindered), rel=1e-3)


@pytest.mark.slow
def test_an_evaluation_that_does_not_fit_is_repeated_with_fewer_rows(
    trainer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import Qwen2Model

    project = trainer(train=ROWS, evaluation=[ONE, TWO, ONE, TWO])
    whole = train(project, "whole", epochs=1)
    real, sizes = Qwen2Model.forward, []
    room = [3]  # as many as the loss is checked on before the first step

    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            sizes.append(sum(len(own) for _, *own in kwargs["rows"]) if "rows" in kwargs else 1)
            if sizes[-1] > room[0]:
                raise RuntimeError("CUDA error: out of memory")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Qwen2Model, "forward", forward)
    assert losses(train(project, "r", epochs=1, samples=0)) == pytest.approx(losses(whole), rel=1e-4)
    assert max(sizes) == 4
    room[0] = 0
    with pytest.raises(InosukeError, match="out of memory while the loss of three rows was checked"):
        train(project, "none")


def test_another_error_of_torch_is_not_taken_for_out_of_memory(trainer: Make, at_step: Any) -> None:
    def broken(inputs: Any) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    at_step(2, broken)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        train(trainer(train=ROWS))


@pytest.fixture
def nan_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Make the loss of one step (counted from 1) NaN."""
    from train.loop import trainer as module

    real = module.summed_loss

    def put(step: int) -> None:
        calls: list[int] = []

        def breaks(model: Any, batch: Any, copies: Any) -> torch.Tensor:
            calls.append(1)
            return real(model, batch, copies) * (float("nan") if len(calls) == step else 1.0)

        monkeypatch.setattr(module, "summed_loss", breaks)

    return put


@pytest.mark.slow
def test_a_loss_that_becomes_nan_keeps_the_best_checkpoint_and_says_what_to_try(
    trainer: Make, nan_at: Callable[[int], None]
) -> None:
    project = trainer(train=ROWS)
    nan_at(6)
    options = ["--recipe", project.recipe(**RECIPE), "--run", "r", "--persona", str(project.persona)]
    done = CliRunner().invoke(train_command, options)
    assert done.exit_code == 1
    assert "the loss became nan at step 6" in done.stdout
    assert "Try a lower `learning_rate`" in done.stdout
    metrics = json.loads((project.root / "models" / "r" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["training"]["diverged"]
    assert metrics["training"]["best_step"] in (2, 4)
    assert len(adapter(project, "r")) > 1000


@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.slow
def test_a_loss_that_becomes_nan_before_any_evaluation_keeps_the_checkpoint_before_it(
    trainer: Make, nan_at: Callable[[int], None], saved: bool
) -> None:
    project = trainer(train=ROWS)
    nan_at(3)
    changes = {"epochs": 1, "evals_per_epoch": 1} | ({"checkpoint_minutes": 1e-6} if saved else {})
    if saved:
        metrics = train(project, **changes)
        assert metrics["training"]["diverged"]
        assert metrics["training"]["best_step"] == 2
        assert len(adapter(project, "r")) > 1000
    else:
        with pytest.raises(InosukeError, match="the loss became nan at step 3") as caught:
            train(project, **changes)
        assert "--resume" not in str(caught.value)
        assert list((project.root / "models").iterdir()) == []


@pytest.mark.slow
def test_figures_that_are_nan_are_null_in_json(trainer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from train.loop import trainer as module

    project = trainer(train=ROWS)
    real = module.total
    calls: list[int] = []

    def breaks(*args: Any) -> Any:
        calls.append(1)
        found = real(*args)
        return (
            found
            if len(calls) < 4
            else type(found)(float("nan"), found.end_nll, found.tokens, found.chars, found.turns)
        )

    monkeypatch.setattr(module, "total", breaks)
    options = ["--recipe", project.recipe(**RECIPE), "--run", "r", "--persona", str(project.persona), "--json"]
    done = CliRunner().invoke(train_command, [*options, "--no-gguf"], catch_exceptions=False)
    shown = json.loads(done.stdout, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert [e["loss"] is None for e in shown["history"]["evaluations"]] == [False, False, True, True, True, True]
    assert shown["training"]["best_step"] in (2, 4)
    assert "| nan |" not in (project.root / "models" / "r" / "README.md").read_text(encoding="utf-8")


def test_a_run_that_is_being_trained_is_left_alone(trainer: Make) -> None:
    project = trainer(train=ROWS)
    (project.root / "models").mkdir()
    with (
        FileLock(project.root / "models" / ".r.lock"),
        pytest.raises(UsageError, match=r"run 'r' is being trained by another process"),
    ):
        train(project)


@pytest.mark.slow
def test_a_run_does_not_continue_with_other_data(trainer: Make, at_step: Any) -> None:
    project = trainer(train=ROWS)

    def interrupt(inputs: Any) -> None:
        raise KeyboardInterrupt

    at_step(4, interrupt)
    with pytest.raises(InosukeError, match="kept up to step 2"):
        train(project)
    manifest = project.root / "datasets/export/v1/manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    del content["files"]["heldout.jsonl"]
    manifest.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InosukeError, match=r"this export has changed since the run began"):
        resume(project)


# ---------------------------------------------------------------- the state of a training as files


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    import random

    import numpy as np

    state = {
        "optimizer": {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.rand(2, 3)}}, "param_groups": [{}]},
        "random": {"python": random.getstate(), "numpy": np.random.get_state(), "torch": torch.get_rng_state()},
        "nothing": None,
        "tuple": (1, 2.5, "ba", True),
    }
    checkpoint_state.write(tmp_path, state)
    again = checkpoint_state.read(tmp_path)
    torch.testing.assert_close(again["optimizer"]["state"][0], state["optimizer"]["state"][0])  # type: ignore[index]
    assert again["optimizer"]["param_groups"] == [{}]
    assert again["random"]["python"] == state["random"]["python"]  # type: ignore[index]
    assert again["random"]["numpy"][1].dtype == np.uint32
    random.setstate(again["random"]["python"])
    np.random.set_state(again["random"]["numpy"])
    torch.set_rng_state(again["random"]["torch"])
    assert (again["nothing"], again["tuple"]) == (None, (1, 2.5, "ba", True))
    (tmp_path / checkpoint_state.TENSORS).write_bytes(b"cut off")
    with pytest.raises(InosukeError, match=r"this checkpoint cannot be read"):
        checkpoint_state.read(tmp_path)
    with pytest.raises(TypeError, match=r"a/b: a set cannot be kept"):
        checkpoint_state.pack({"a": {"b": {1}}}, {})


def adamw(parameters: Any, lr: float) -> Any:
    return torch.optim.AdamW(parameters, lr=lr)


def adamw_8bit(parameters: Any, lr: float) -> Any:
    import bitsandbytes

    return bitsandbytes.optim.AdamW8bit(parameters, lr=lr)  # `paged_adamw_8bit` without the paging


@pytest.mark.parametrize("make", [adamw, adamw_8bit])
def test_an_optimiser_continues_as_if_it_had_never_stopped(tmp_path: Path, make: Any) -> None:
    def steps(parameter: torch.nn.Parameter, optimizer: Any, count: int) -> None:
        for _ in range(count):
            parameter.grad = torch.sin(parameter.detach() * 7)
            optimizer.step()

    def start() -> torch.nn.Parameter:
        return torch.nn.Parameter(torch.linspace(-1, 1, 8192))  # fewer than 4,096 are never stored in 8 bits

    whole = start()
    steps(whole, make([whole], 0.1), 6)
    first = start()
    optimizer = make([first], 0.1)
    steps(first, optimizer, 3)
    checkpoint_state.write(tmp_path, {"parameter": first, "optimizer": optimizer.state_dict()})
    state = checkpoint_state.read(tmp_path)
    second = torch.nn.Parameter(state["parameter"])
    optimizer = make([second], 9.0)
    optimizer.load_state_dict(state["optimizer"])
    steps(second, optimizer, 3)
    assert torch.equal(second, whole)
