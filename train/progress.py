"""A progress bar for what takes longer than a second: on a terminal only, never in a log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from train.processes import of_environment


@contextmanager
def bar(total: int, what: str, unit: str) -> Iterator[Callable[[int], object]]:
    """Show a bar and give the function that moves it on by so many ``unit``; the bar goes when the block ends."""
    hidden = not sys.stderr.isatty() or not of_environment().is_first
    with tqdm(total=total, desc=what, unit=unit, leave=False, disable=hidden) as shown:
        yield shown.update
