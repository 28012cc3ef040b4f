"""A progress bar for what takes longer than a second; quiet where nobody looks."""

from __future__ import annotations

import sys
from typing import Any


def bar(total: int, title: str, quiet: bool) -> Any:
    """Return a bar to be used with ``with`` and ``update``."""
    from tqdm import tqdm

    # disable=None: quiet in a pipe or a log file.
    return tqdm(total=total, desc=title, unit="task", disable=True if quiet else None, leave=False, file=sys.stderr)
