"""Which export and which run is the newest: the pointers ``datasets/export/latest`` and ``models/latest``.

A pointer holds the name of a folder beside it. One that is missing, damaged, or names what is not there gives one error
message, whichever command reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from curation.contracts.manifest import MANIFEST
from curation.contracts.run import METRICS, read_metrics
from curation.errors import InosukeError
from curation.files import write_atomically

LATEST = "latest"


def newest_export(out: Path) -> Path:
    """Return the newest export below ``datasets/export``. Raises InosukeError where there is none."""
    return out / _latest(
        out, MANIFEST, "export", "Run `inosuke dataset`; where nothing is approved yet, `make review` comes first."
    )


def newest_run(models: Path) -> Path:
    """Return the newest run below ``models``. Raises InosukeError where there is none."""
    return models / _latest(models, METRICS, "run", "Run `make train`, or name a run with --run.")


def find_run(models: Path, run: str | None = None, *, anywhere: bool = False) -> Path:
    """Return the folder of a finished run: by its name below ``models``, or the newest.

    A name is never a path, so that it cannot lead out of the folder, unless ``anywhere`` allows a path. Raises
    InosukeError that lists the runs there are.
    """
    if run is None:
        return newest_run(models)
    if anywhere and (Path(run) / METRICS).is_file():
        return Path(run)
    if run not in (there := runs(models)):
        raise InosukeError(f"there is not a finished run called {run!r} in {models}. {_choice(there, 'run')}")
    return models / run


def runs(models: Path) -> list[str]:
    """Return the names of the finished runs below ``models``."""
    return _whole(models, METRICS)


def set_latest(folder: Path, name: str) -> None:
    """Make ``name`` the newest export or run of ``folder``; a trained run goes through :func:`set_latest_run`."""
    write_atomically(folder / LATEST, name + "\n")


def set_latest_run(models: Path, name: str) -> list[str]:
    """Make ``name`` the newest run if its figures allow it. Returns the reasons where they do not.

    The run has to be better than its base, end its turns, keep the prompt's language and not repeat itself, see
    :meth:`curation.contracts.run.RunMetrics.faults`.
    """
    faults = read_metrics(models / name).faults()
    if not faults:
        set_latest(models, name)
    return faults


def _latest(folder: Path, proof: str, what: str, remedy: str) -> str:
    pointer = folder / LATEST
    try:
        # Undecodable bytes are shown as they are read: they name a folder that does not exist.
        name = pointer.read_text(encoding="utf-8", errors="backslashreplace").strip()
    except FileNotFoundError:
        raise InosukeError(
            f"{pointer}: does not exist, so no {what} is the newest. {_choice(_whole(folder, proof), what)} {remedy}"
        ) from None
    except OSError as error:
        raise InosukeError(f"{pointer}: cannot be read ({error.strerror or error}). {remedy}") from None
    there = _whole(folder, proof)
    if name not in there:
        shown = " ".join(name.split())[:80]
        raise InosukeError(f"{pointer}: damaged, it names `{shown}`. {_choice(there, what)} {remedy}")
    return name


def _whole(folder: Path, proof: str) -> list[str]:
    """Return the folders that hold the file which is written last."""
    return sorted(p.parent.name for p in folder.glob(f"*/{proof}") if not p.parent.name.startswith("."))


def _choice(there: Sequence[str], what: str) -> str:
    return f"Available: {', '.join(there)}." if there else f"The folder does not hold any {what} yet."
