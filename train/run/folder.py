"""The folders of runs: ``models/<run>/`` appears whole or not at all, ``models/latest`` names the newest."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from curation.contracts import METRICS, read_metrics
from curation.errors import InosukeError, UsageError, no_space
from curation.newest import set_latest
from train.run import checkpoint

RESUME_FILE = "start.json"  # what `--resume` needs of an interrupted run, see train.run.resume


class NothingLearnt(InosukeError):
    """A training that failed before it learnt anything. Its checkpoints are removed, since a resume would fail too."""


def new_name(models: Path, recipe: str, now: datetime) -> str:
    """Return an unused name such as ``20261122-104500-cpu``; a number is added to a second one in the same second."""
    name = f"{now:%Y%m%d-%H%M%S}-" + re.sub(r"[^\w.-]+", "-", recipe)
    run, number = name, 1
    while (models / run).exists() or unfinished(models, run).exists():
        number += 1
        run = f"{name}-{number}"
    return run


@contextmanager
def writing(models: Path, run: str, resume: bool = False) -> Iterator[Path]:
    """Yield a hidden folder to write a run into; it is renamed to ``models/<run>`` when the block ends.

    When the block fails, the folder is removed, unless it holds a checkpoint to resume from: then it stays, and
    ``resume`` yields it again. The folder is locked, so that two processes never write the same run. ``models/latest``
    stays as it is, see :func:`make_latest`.

    Raises UsageError when the run exists, is being trained, or has a name that cannot be a folder's. Raises
    InosukeError when the disk is full.
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
                        f"{partial}: a training of this name was interrupted after step {step}. Continue it with "
                        f"`inosuke train --resume {run}`, choose another name with --run, or remove the folder."
                    )
                shutil.rmtree(partial, ignore_errors=True)  # left by one that was killed before its first checkpoint
                partial.mkdir()
            try:
                yield partial
                _rename(partial, final)
            except BaseException as error:
                if isinstance(error, NothingLearnt) or checkpoint.latest(partial) is None:
                    shutil.rmtree(partial, ignore_errors=True)
                raise
    except InosukeError:
        raise
    except Exception as error:
        if reason := no_space(error):
            raise InosukeError(
                f"{models.resolve()}: {reason}; the run could not be written, earlier runs are unchanged. "
                "Free some disk space or fix the folder's permissions, then train again."
            ) from error
        raise


def make_latest(models: Path, run: str) -> None:
    """Make a finished run the newest one, which is served, unless its adapter is worse than the base."""
    if not read_metrics(models / run).is_worse:
        set_latest(models, run)


def _rename(partial: Path, final: Path) -> None:
    """Rename a finished run, then remove what only an interrupted one needs: until then it can be resumed."""
    try:
        partial.rename(final)
    except OSError as error:
        if not final.exists():
            raise
        raise InosukeError(
            f"{final}: appeared during the training ({error.strerror}). Move it away; nothing of the run is lost."
        ) from error
    shutil.rmtree(final / checkpoint.FOLDER, ignore_errors=True)
    (final / RESUME_FILE).unlink(missing_ok=True)


def unfinished(models: Path, run: str) -> Path:
    """Return the folder that a run is written into until it is finished."""
    return models / f".{run}.partial"


def interrupted(models: Path, run: str) -> Path:
    """Return the folder of an interrupted run that can be resumed. Raises UsageError when there is none."""
    folder = unfinished(models, run)
    if checkpoint.latest(folder) is None:
        state = "is finished" if (models / run / METRICS).is_file() else "has no checkpoint to resume from"
        waiting = ", ".join(unfinished_names(models)) or "none"
        raise UsageError(f"run {run!r} {state}. Interrupted runs with a checkpoint: {waiting}.")
    return folder


def unfinished_names(models: Path) -> list[str]:
    """Return the names of interrupted runs that have a checkpoint and are not being trained, newest last."""
    folders = [p for p in models.glob(".*.partial") if checkpoint.latest(p) is not None]
    names = [p.name[1 : -len(".partial")] for p in sorted(folders, key=lambda p: p.stat().st_mtime)]
    return [name for name in names if not _is_being_trained(models, name)]


def kept(models: Path, run: str) -> str:
    """Describe what is left of an interrupted run, and how to resume it."""
    step = checkpoint.latest(unfinished(models, run))
    if step is None:
        return f"run {run} was not kept"
    return f"run {run} is kept up to step {step}; continue with `inosuke train --resume {run}`"


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
    """Hold the lock of a run; the operating system releases it however the process ends."""
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
