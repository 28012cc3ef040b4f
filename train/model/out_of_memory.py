"""What to do when memory runs out: know the error, give memory back, try again with less at once.

:func:`curation.errors.is_out_of_memory` knows how libraries word it. Loading, steps, evaluations and generation all
come here. Knows nothing of what is computed.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

import torch

from curation.errors import is_out_of_memory

__all__ = ["NoMemoryLeft", "halving", "is_out_of_memory", "release"]

T = TypeVar("T")


class NoMemoryLeft(Exception):
    """Memory ran out with a single item at once. Holds no traceback, and so none of the tensors that filled it."""


def release() -> None:
    """Return what no one holds any more to the device, so that the next try finds it in one piece."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def halving(size: int, work: Callable[[int], T], on_less: Callable[[int], object] = lambda size: None) -> T:
    """Return ``work(size)``; while memory runs out, try again with half the size, after ``on_less(half)``.

    Raises NoMemoryLeft when it runs out with a size of 1.
    """
    while True:
        try:
            return work(size)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        # Outside of `except`: the error's traceback holds the tensors that filled the memory.
        release()
        if size == 1:
            raise NoMemoryLeft("out of memory, with a single item at once")
        size //= 2
        on_less(size)
