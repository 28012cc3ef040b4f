"""Python's collector of reference cycles, paused where only records are made.

Records refer to each other in no circle, so the collector finds nothing in them; but each of its rounds visits all
records that are there already, which took an eighth of the time of importing 500 episodes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Collect no reference cycles inside; also works as a decorator. What is unreferenced is freed all the same."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
