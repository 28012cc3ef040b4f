"""Small file habits that every stage shares: whole files or none, and hashes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from curation.errors import InosukeError


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
