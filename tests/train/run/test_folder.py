"""A run's folder: its name, its lock, and when it appears. Trainings that are interrupted are in test_resume.py."""

from __future__ import annotations

import errno
import os
from datetime import datetime
from pathlib import Path

import pytest
from filelock import FileLock

from curation.contracts.run import RunBase, RunEval, RunMetrics, Scores, write_metrics
from curation.errors import InosukeError, UsageError
from train.run import checkpoint, folder
from train.run.folder import NothingLearnt


def figures(adapter: float) -> RunMetrics:
    measured = RunEval(base=Scores(loss=2.0), adapter=Scores(loss=adapter))
    return RunMetrics(base_model=RunBase(name="b", path="b"), eval=measured)


def names(models: Path) -> list[str]:
    return sorted(p.name for p in models.iterdir())


def test_a_run_appears_under_its_name_when_it_is_complete(tmp_path: Path) -> None:
    with folder.writing(tmp_path, "r") as hidden:
        assert names(tmp_path) == [".r.lock", ".r.partial"]
        write_metrics(hidden, figures(1.0))
    assert names(tmp_path) == ["r"]


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_a_run_that_fails_before_a_checkpoint_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), folder.writing(tmp_path, "r"):
        raise error
    assert names(tmp_path) == []


def interrupt(models: Path, error: Exception) -> None:
    with pytest.raises(type(error)), folder.writing(models, "r") as hidden:
        checkpoint.path(hidden, 2).mkdir(parents=True)
        raise error


def test_a_run_that_fails_after_a_checkpoint_can_be_resumed(tmp_path: Path) -> None:
    interrupt(tmp_path, InosukeError("out of memory"))
    assert folder.unfinished_names(tmp_path) == ["r"]
    assert folder.interrupted(tmp_path, "r") == tmp_path / ".r.partial"
    assert folder.kept(tmp_path, "r").startswith("run r is kept up to step 2")


def test_a_run_that_learnt_nothing_is_removed_with_its_checkpoints(tmp_path: Path) -> None:
    interrupt(tmp_path, NothingLearnt("the loss became nan"))
    assert names(tmp_path) == []
    assert folder.kept(tmp_path, "r") == "run r was not kept"


@pytest.mark.parametrize("name", ["base", "latest", "../x", ".hidden", ""])
def test_a_name_that_cannot_be_a_runs_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="run name"), folder.writing(tmp_path, name):
        pytest.fail("the name was accepted")


def test_only_a_run_that_is_better_than_its_base_becomes_the_latest(tmp_path: Path) -> None:
    for name, loss in (("good", 1.0), ("equal", 2.0), ("diverged", float("nan"))):
        with folder.writing(tmp_path, name) as hidden:
            write_metrics(hidden, figures(loss))
        folder.settle(tmp_path, name)
    assert (tmp_path / "latest").read_text(encoding="utf-8") == "good\n"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "No space left on device"),
        (RuntimeError(f"Error while serializing: I/O error (os error {errno.EFBIG})"), os.strerror(errno.EFBIG)),
    ],
)
def test_a_disk_that_fills_up_while_training_is_reported_and_nothing_is_left(
    tmp_path: Path, error: Exception, reason: str
) -> None:
    with (
        pytest.raises(InosukeError, match=f"{reason}; the run could not be written"),
        folder.writing(tmp_path, "r"),
    ):
        raise error
    with pytest.raises(RuntimeError, match="something else"), folder.writing(tmp_path, "r"):
        raise RuntimeError("something else")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_the_runs_name_that_appears_during_the_training_costs_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(InosukeError, match=r"appeared during the training .* nothing of the run is lost"),
        folder.writing(tmp_path, "r") as hidden,
    ):
        (hidden / checkpoint.FOLDER / "step-000002").mkdir(parents=True)
        (hidden / folder.RESUME_FILE).write_text("{}", encoding="utf-8")
        (tmp_path / "r").mkdir()
        (tmp_path / "r" / "another").touch()
    assert folder.unfinished_names(tmp_path) == ["r"]
    (tmp_path / "r" / "another").unlink()
    (tmp_path / "r").rmdir()
    with folder.writing(tmp_path, "r", resume=True) as hidden:
        assert (hidden / folder.RESUME_FILE).is_file()
    assert list((tmp_path / "r").iterdir()) == []


def test_a_second_run_in_one_second_gets_a_name_of_its_own(tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, 10, 45)
    first = folder.new_name(tmp_path, "my recipe", now)
    assert first == "20261122-104500-my-recipe"
    with folder.writing(tmp_path, first):
        assert folder.new_name(tmp_path, "my recipe", now) == f"{first}-2"
    assert folder.new_name(tmp_path, "my recipe", now) == f"{first}-2"


def test_a_run_that_is_being_trained_is_not_an_interrupted_one(tmp_path: Path) -> None:
    (tmp_path / ".r.partial" / checkpoint.FOLDER / "step-000002").mkdir(parents=True)
    assert folder.unfinished_names(tmp_path) == ["r"]
    with FileLock(tmp_path / ".r.lock"):
        assert folder.unfinished_names(tmp_path) == []
