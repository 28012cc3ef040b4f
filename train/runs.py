"""Where runs are kept: ``models/<run>/`` appears whole or not at all, ``models/latest`` names the newest."""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from curation.errors import InosukeError, UsageError
from curation.files import write_atomically

METRICS = "metrics.json"


def new_name(recipe: str, now: datetime) -> str:
    """Return a run's name such as ``20261122-104500-cpu``."""
    return f"{now:%Y%m%d-%H%M%S}-{recipe}"


@contextmanager
def writing(models: Path, run: str) -> Iterator[Path]:
    """Give a hidden folder to write a run into; it takes its name when the block ends, and is removed if it fails.

    Raises UsageError when the run exists or its name cannot be a folder's, InosukeError when the disk is full.
    """
    if not re.fullmatch(r"\w[\w.-]*", run) or run in ("base", "latest"):
        raise UsageError(f"run name {run!r}: expected letters, digits, `-`, `_`, `.`, and neither `base` nor `latest`.")
    final, partial = models / run, models / f".{run}.partial"
    if final.exists():
        raise UsageError(f"{final}: this run exists. Choose another name with --run, or remove the folder first.")
    shutil.rmtree(partial, ignore_errors=True)  # what a run of this name left that was killed
    try:
        partial.mkdir(parents=True)
        yield partial
        partial.rename(final)
    except Exception as error:
        if reason := _unwritable(error):
            raise InosukeError(
                f"{models.resolve()}: {reason}; the run was not kept, earlier ones are as they were. "
                "Free some disk space or mend the folder's permissions, then train again."
            ) from error
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    write_atomically(models / "latest", run + "\n")


def _unwritable(error: Exception) -> str:
    """Say why a file could not be written, or nothing if that is not what went wrong.

    safetensors and torch wrap the system's error into types of their own, so the text is looked at too.
    """
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS):
        return error.strerror or str(error)
    return "No space left on device" if "No space left on device" in str(error) else ""


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
