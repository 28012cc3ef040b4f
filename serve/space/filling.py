"""Fills a new folder, or a fresh clone of a Space: nothing half-written stays in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.errors import InosukeError
from curation.files import PARTIAL


def check_empty(out: Path) -> None:
    """Raise InosukeError where a folder contains more than a ``.git``."""
    if out.exists() and any(p.name != ".git" for p in out.iterdir()):
        raise InosukeError(f"{out} is not empty. Expected a new folder, or a fresh clone of a Space: name another.")


@contextmanager
def filling(out: Path) -> Iterator[Path]:
    """Give a folder to write into; what is in it moves to ``out`` at the end. Raises InosukeError for a full disk."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # Not `whole_folder`, which would have to replace the clone with its .git.
        with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=out.parent) as name:
            yield Path(name)
            out.mkdir(exist_ok=True)
            for entry in Path(name).iterdir():
                entry.rename(out / entry.name)
    except OSError as error:
        raise InosukeError(f"{out} cannot be written: {error}. Check the disk's free space, then try again.") from error


def files_of(out: Path) -> list[Path]:
    """Return the files of a folder, relative to it, without those of its ``.git``."""
    found = (p.relative_to(out) for p in out.rglob("*") if p.is_file())
    return sorted(p for p in found if p.parts[0] != ".git")


def text_file(path: Path, text: str) -> None:
    """Write a text with the line ends that the Hub has."""
    path.write_text(text, encoding="utf-8", newline="\n")
