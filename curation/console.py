"""What commands show: one progress bar, one way to write a length of time, one way to list counts."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any


def bar(total: int | None, title: str, unit: str, *, quiet: bool = False, scale: bool = False) -> Any:
    """Return a tqdm bar, to be used with ``with`` and ``update(n)``; it disappears when the block ends.

    It is shown on a terminal only, on standard error, and only after a second: what is quicker needs none. ``scale``
    shortens counts (``12.3k``). Without a total it counts up.
    """
    from tqdm import tqdm

    # disable=None: hidden where standard error is a pipe or a file.
    return tqdm(
        total=total,
        desc=title,
        unit=unit,
        unit_scale=scale,
        delay=1,
        disable=True if quiet else None,
        leave=False,
        file=sys.stderr,
    )


def note(text: str, *, quiet: bool = False) -> None:
    """Print a line on standard error, above a bar that is shown there. Nothing where ``quiet``."""
    from tqdm import tqdm

    if not quiet:
        tqdm.write(text, file=sys.stderr)


def duration(seconds: float) -> str:
    """Return ``1:02:03`` or ``2:03``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def size(count: int) -> str:
    """Return a number of bytes as ``12.3 MB``, in units of a thousand as the Hub shows them."""
    number = float(count)
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def listed(counts: Mapping[str, int]) -> str:
    """Return ``train 1,200, eval 130``, without what counts nothing."""
    return ", ".join(f"{name} {n:,}" for name, n in counts.items() if n)
