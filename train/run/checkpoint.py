"""The checkpoints of one run: ``checkpoints/step-000120/``, each of which appears whole or not at all.

Three are kept: the newest, from which a killed training resumes, the best, which becomes the adapter, and the last one
before a ceiling of minutes took the learning rate down, from which more minutes continue.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any

from curation.errors import InosukeError, no_space

FOLDER = "checkpoints"


def path(run: Path, step: int) -> Path:
    """Return the folder of the checkpoint after ``step``."""
    return run / FOLDER / f"step-{step:06d}"


def steps(run: Path) -> list[int]:
    """Return the steps that have a checkpoint, in order."""
    return sorted(int(p.name.removeprefix("step-")) for p in (run / FOLDER).glob("step-*"))


def latest(run: Path) -> int | None:
    """Return the step of the newest checkpoint, None when there is none."""
    return max(steps(run), default=None)


def write(run: Path, step: int, state: Any, keep: Container[int], extra: Mapping[str, Callable[[str], object]]) -> Path:
    """Write a checkpoint, then remove the others except those of the steps ``keep``.

    ``extra`` maps the names of further files to functions that write them to the path they are given.

    The folder is renamed once its files are on the disk, so whatever ends the process leaves the last good checkpoint.
    Raises InosukeError when the disk is full; the partial checkpoint is removed, earlier ones stay.
    """
    # It imports torch, which commands that only look for a checkpoint can do without.
    from train.run import checkpoint_state

    final = path(run, step)
    if final.exists():  # written twice: at an evaluation, and when memory ran out in the step after it
        return final
    partial = final.with_name(f".{final.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        checkpoint_state.write(partial, state)
        for name, save in extra.items():
            save(str(partial / name))
        partial.rename(final)
        _sync(final.parent)
    except Exception as error:
        if reason := no_space(error):
            raise InosukeError(
                f"{final.parent}: {reason} while the checkpoint of step {step} was written. Free some "
                "disk space, then resume the run."
            ) from error
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for other in steps(run):
        if other != step and other not in keep:
            shutil.rmtree(path(run, other))
    return final


def remove_after(run: Path, step: int) -> None:
    """Remove the checkpoints of later steps, so that :func:`latest` is ``step``."""
    for other in steps(run):
        if other > step:
            shutil.rmtree(path(run, other))


def keep_only(run: Path, step: int | None) -> None:
    """Remove all checkpoints but that of ``step``."""
    for other in steps(run):
        if other != step:
            shutil.rmtree(path(run, other))
    if step is None:
        shutil.rmtree(run / FOLDER, ignore_errors=True)


def read(folder: Path) -> Any:
    """Read the state of the checkpoint in ``folder`` (see :func:`path`). Raises InosukeError when it is damaged."""
    from train.run import checkpoint_state

    return checkpoint_state.read(folder)


def _sync(folder: Path) -> None:
    """Flush the new names in a folder to the disk; Windows does that by itself and cannot open folders."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
