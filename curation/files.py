"""Files and folders that appear whole or not at all, and hashes."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.errors import InosukeError

PARTIAL = ".partial-"  # how the hidden name of something half-written begins


def natural(name: str) -> list[tuple[int, str]]:
    """Return the sort key of a name or path with numbers as numbers: `ep 2` comes before `ep 10`."""
    parts = re.split(r"(\d+)", name.replace("/", "\0"))  # a folder sorts before longer names that begin like it
    key = [(int(p), "") if p.isdecimal() and len(p) < 20 else (-1, p.casefold()) for p in parts]
    return [*key, (-2, name)]


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: str | bytes) -> bool:
    """Write a file under a temporary name beside it, then rename. Returns False if it held this content already.

    Raises InosukeError when the folder cannot be written to or the disk is full; the old file is then untouched.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        if path.is_file() and path.read_bytes() == data:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)  # mkstemp's 0600 would keep a teammate on the same machine out
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InosukeError(
            f"{path}: cannot be written ({error.strerror or error}). What was there is untouched. "
            "Free some disk space or change the folder's permissions, then run the command again."
        ) from error
    return True


@contextmanager
def whole_file(final: Path) -> Iterator[Path]:
    """Give a path in a hidden folder beside ``final`` to write a file to; it replaces ``final`` when the block ends.

    When the block fails, what was written is removed and ``final`` is untouched. Raises OSError where the folder
    cannot be written to: the caller knows what to advise.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=final.parent) as name:
        part = Path(name) / final.name
        yield part
        part.chmod(0o644)
        part.replace(final)


@contextmanager
def whole_folder(final: Path) -> Iterator[Path]:
    """Give an empty hidden folder beside ``final`` to fill; it is renamed to ``final`` when the block ends.

    When the block fails, the hidden folder is removed. Raises OSError where it cannot be written, and where ``final``
    exists by then and is not empty: a folder is never replaced.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=final.parent))
    try:
        yield part
        part.chmod(0o755)  # mkdtemp's 0700 would keep a teammate on the same machine out
        part.rename(final)
    finally:
        shutil.rmtree(part, ignore_errors=True)  # already gone where it was renamed


def remove_partial(folder: Path) -> None:
    """Remove what a killed process left half-written in ``folder``."""
    for left in folder.glob(f"{PARTIAL}*"):
        shutil.rmtree(left, ignore_errors=True)
