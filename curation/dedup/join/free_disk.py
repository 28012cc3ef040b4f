"""A check for enough free disk space before a large file is written."""

from __future__ import annotations

import shutil
from pathlib import Path

from curation.errors import InosukeError


def check_disk(needed: int, folder: Path, what: str) -> None:
    """Raise InosukeError, with the estimate, when fewer than ``needed`` bytes are free where ``folder`` lies."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InosukeError(
            f"{what} need about {needed / 1e9:,.1f} GB on the disk of {folder.parent}, where {free / 1e9:,.1f} GB are "
            "free. Free some space, or write the pairs to another disk."
        )
