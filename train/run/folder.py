"""The folders of runs: ``models/<run>/`` appears whole or not at all, ``models/latest`` names the newest."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from curation.contracts.run import METRICS, read_metrics
from curation.errors import InosukeError, UsageError, no_space
from curation.newest import set_latest_run
from train.run import checkpoint

RESUME_FILE = "start.json"  # what `--resume` needs of an interrupted run, see train.run.resume


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a run: whether it was kept, and why it (or the earlier one) is not the newest."""

    is_kept: bool
    faults: list[str]


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
    ``resume`` yields it again. ``resume`` also takes a finished run that its ceiling of minutes stopped: a copy of its
    state is yielded, and the finished run stays as it is until :func:`settle`. The folder is locked, so that two
    processes never write the same run. ``models/latest`` stays as it is, see :func:`settle`.

    Raises UsageError when the run exists, is being trained, or has a name that cannot be a folder's. Raises
    InosukeError when the disk is full.
    """
    if not re.fullmatch(r"\w[\w.-]*", run) or run in ("base", "latest"):
        raise UsageError(f"run name {run!r}: expected letters, digits, `-`, `_`, `.`, and neither `base` nor `latest`.")
    final, partial = models / run, unfinished(models, run)
    if final.exists() and not (resume and _can_continue(final)):
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
            elif checkpoint.latest(partial) is None:
                _copy_state(final, partial)
            try:
                yield partial
                _rename(partial, final, _before(models, run))
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


def settle(models: Path, run: str) -> Settled:
    """Decide what becomes of a finished and measured run, and make it the newest if its figures allow it.

    A run that continued a finished one takes its place if its eval loss is lower and it does not speak worse. Otherwise
    the earlier one is put back, with the newer state to continue from.
    """
    final, before = models / run, _before(models, run)
    is_kept = True
    if before.exists():
        earlier, later = read_metrics(before), read_metrics(final)
        speaks_worse = bool(later.faults()) and not earlier.faults()
        is_kept = later.eval.adapter.loss < earlier.eval.adapter.loss and not speaks_worse
        if not is_kept:
            _put_back(before, final)
        shutil.rmtree(before, ignore_errors=True)
    return Settled(is_kept, set_latest_run(models, run))


def _put_back(before: Path, final: Path) -> None:
    """Exchange a finished run and the earlier one, which gets the later state to continue from if there is one."""
    step = checkpoint.latest(final)
    if step is not None and not checkpoint.path(before, step).exists():
        checkpoint.path(final, step).rename(checkpoint.path(before, step))
        checkpoint.keep_only(before, step)
    dropped = before.with_name(f"{before.name}.dropped")
    shutil.rmtree(dropped, ignore_errors=True)
    final.rename(dropped)
    before.rename(final)
    shutil.rmtree(dropped, ignore_errors=True)


def _before(models: Path, run: str) -> Path:
    """Return where a finished run waits until the one that continued it is measured."""
    return models / f".{run}.before"


def _can_continue(final: Path) -> bool:
    """Return whether a finished run was stopped by its ceiling of minutes, and has a state to continue from."""
    return checkpoint.latest(final) is not None and (final / RESUME_FILE).is_file()


def _copy_state(final: Path, partial: Path) -> None:
    """Begin a folder with the state of a finished run. The checkpoints appear whole or not at all."""
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    shutil.copyfile(final / RESUME_FILE, partial / RESUME_FILE)
    shutil.copytree(final / checkpoint.FOLDER, partial / f".{checkpoint.FOLDER}")
    (partial / f".{checkpoint.FOLDER}").rename(partial / checkpoint.FOLDER)


def _rename(partial: Path, final: Path, before: Path) -> None:
    """Rename a finished run, then remove what only an interrupted one needs: until then it can be resumed.

    A run that its ceiling stopped keeps the state from which more minutes continue. A finished run that it continues
    waits as ``before``.
    """
    try:
        if final.exists() and _can_continue(final):
            shutil.rmtree(before, ignore_errors=True)
            final.rename(before)
        partial.rename(final)
    except OSError as error:
        if not final.exists():
            raise
        raise InosukeError(
            f"{final}: appeared during the training ({error.strerror}). Move it away; nothing of the run is lost."
        ) from error
    step = read_metrics(final).training.get("resume_from") if (final / METRICS).is_file() else None
    checkpoint.keep_only(final, step)
    if step is None:
        (final / RESUME_FILE).unlink(missing_ok=True)


def unfinished(models: Path, run: str) -> Path:
    """Return the folder that a run is written into until it is finished."""
    return models / f".{run}.partial"


def interrupted(models: Path, run: str) -> Path:
    """Return the folder of a run that can be resumed: interrupted, or stopped by its ceiling of minutes.

    Raises UsageError when there is none.
    """
    folder = unfinished(models, run)
    if checkpoint.latest(folder) is None:
        if _can_continue(models / run):
            return models / run
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
