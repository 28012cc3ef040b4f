"""Where runs are kept: ``models/<run>/`` appears whole or not at all, ``models/latest`` names the newest."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from curation.errors import InosukeError, UsageError
from curation.files import write_atomically
from train.run import checkpoint

METRICS = "metrics.json"
START = "start.json"  # what an interrupted run must remember, see train.run.resume


class NothingLearnt(InosukeError):
    """A training that has nothing worth going on from: the same would happen again."""


def new_name(models: Path, recipe: str, now: datetime) -> str:
    """Return a name that no run has yet, such as ``20261122-104500-cpu``; a second one in that second gets a number."""
    name = f"{now:%Y%m%d-%H%M%S}-" + re.sub(r"[^\w.-]+", "-", recipe)
    run, number = name, 1
    while (models / run).exists() or unfinished(models, run).exists():
        number += 1
        run = f"{name}-{number}"
    return run


@contextmanager
def writing(models: Path, run: str, resume: bool = False) -> Iterator[Path]:
    """Give a hidden folder to write a run into; it takes its name when the block ends.

    When the block fails, the folder is removed, unless it holds a checkpoint to go on from: then it stays, and with
    ``resume`` it is given again. It is locked meanwhile, so that two processes never write one run. The run becomes the
    newest, unless its adapter is worse than the base.

    Raises UsageError when the run exists, is being trained, or its name cannot be a folder's, InosukeError when the
    disk is full.
    """
    if not re.fullmatch(r"\w[\w.-]*", run) or run in ("base", "latest"):
        raise UsageError(f"run name {run!r}: expected letters, digits, `-`, `_`, `.`, and neither `base` nor `latest`.")
    final, partial = models / run, unfinished(models, run)
    if final.exists():
        raise UsageError(f"{final}: this run exists. Choose another name with --run, or remove the folder first.")
    try:
        models.mkdir(parents=True, exist_ok=True)
        with _alone(models, run):
            if not resume:
                if (step := checkpoint.latest(partial)) is not None:
                    raise UsageError(
                        f"{partial}: a training of this name was interrupted after step {step}. Go on with "
                        f"`inosuke train --resume {run}`, choose another name with --run, or remove the folder."
                    )
                shutil.rmtree(partial, ignore_errors=True)  # left by one that was killed before its first checkpoint
                partial.mkdir()
            try:
                yield partial
                _give_name(partial, final)
            except BaseException as error:
                if isinstance(error, NothingLearnt) or checkpoint.latest(partial) is None:
                    shutil.rmtree(partial, ignore_errors=True)
                raise
    except InosukeError:
        raise
    except Exception as error:
        if reason := checkpoint.no_space(error):
            raise InosukeError(
                f"{models.resolve()}: {reason}; the run could not be written, earlier runs are as they were. "
                "Free some disk space or mend the folder's permissions, then train again."
            ) from error
        raise
    if not (final / METRICS).is_file() or not is_worse(read_metrics(final)):
        write_atomically(models / "latest", run + "\n")


def is_worse(metrics: dict[str, Any]) -> bool:
    """Say whether a run's figures show its adapter to be no better than the base."""
    measured = metrics["eval"]
    return bool(measured["adapter"]["loss"] >= measured["base"]["loss"])


def _give_name(partial: Path, final: Path) -> None:
    """Let a whole run appear. What only an interrupted one needs is removed after that: until then it can go on."""
    try:
        partial.rename(final)
    except OSError as error:
        if not final.exists():
            raise
        raise InosukeError(
            f"{final}: appeared while the run was trained ({error.strerror}). Move it away; nothing of the run is lost."
        ) from error
    shutil.rmtree(final / checkpoint.FOLDER, ignore_errors=True)
    (final / START).unlink(missing_ok=True)


def unfinished(models: Path, run: str) -> Path:
    """Return the folder that a run is written into until it is whole."""
    return models / f".{run}.partial"


def interrupted(models: Path, run: str) -> Path:
    """Return the folder of a run that was interrupted and can go on. Raises UsageError when there is none."""
    folder = unfinished(models, run)
    if checkpoint.latest(folder) is None:
        state = "is finished" if (models / run / METRICS).is_file() else "has no checkpoint to go on from"
        waiting = ", ".join(unfinished_names(models)) or "none"
        raise UsageError(f"run {run!r} {state}. Interrupted runs with a checkpoint: {waiting}.")
    return folder


def unfinished_names(models: Path) -> list[str]:
    """Return the names of interrupted runs that have a checkpoint and are not being trained, the newest last."""
    folders = [p for p in models.glob(".*.partial") if checkpoint.latest(p) is not None]
    names = [p.name[1 : -len(".partial")] for p in sorted(folders, key=lambda p: p.stat().st_mtime)]
    return [name for name in names if not _is_being_trained(models, name)]


def kept(models: Path, run: str) -> str:
    """Say what is left of a run that was interrupted, and how to go on."""
    step = checkpoint.latest(unfinished(models, run))
    if step is None:
        return f"run {run} was not kept"
    return f"run {run} is kept up to step {step}; go on with `inosuke train --resume {run}`"


def _lock(models: Path, run: str) -> FileLock:
    return FileLock(models / f".{run}.lock")


def _is_being_trained(models: Path, run: str) -> bool:
    lock = _lock(models, run)
    if not Path(lock.lock_file).exists():
        return False
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True


@contextmanager
def _alone(models: Path, run: str) -> Iterator[None]:
    """Hold the run's lock; the system lets go of it when the process ends, however it ends."""
    lock = _lock(models, run)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(f"run {run!r} is being trained by another process. Wait for it, or stop it first.") from None
    try:
        yield
    finally:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def find(models: Path, run: str | None) -> Path:
    """Return the folder of a finished run: by name or path, or the newest. Raises InosukeError when it is not there."""
    if run is None:
        pointer = models / "latest"
        if not pointer.is_file():
            raise InosukeError(f"{pointer}: no such file, so nothing has been trained here yet. Run `make train`.")
        run = pointer.read_text(encoding="utf-8").strip()
    for folder in (models / run, Path(run)):
        if (folder / METRICS).is_file():
            return folder
    made = sorted(p.parent.name for p in models.glob(f"*/{METRICS}"))
    raise InosukeError(f"run {run!r}: not in {models}. There: {', '.join(made) or 'none; run `make train`'}.")


def read_metrics(folder: Path) -> dict[str, Any]:
    """Read a run's ``metrics.json``."""
    metrics: dict[str, Any] = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    return metrics
