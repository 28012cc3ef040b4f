"""Gives memory that nothing uses back to the system, where the C library has a way to."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

# From glibc's malloc.h; musl has neither function.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
LARGEST_THRESHOLD = 32 * 2**20  # what glibc itself moves it to, at most, as blocks come and go
# Free memory at the end of the heap that is kept, as glibc itself would have it by now. Once the other threshold is
# set, it stops adapting this one and leaves it at 128 kB, and a training asks for the same pages again and again.
KEPT = 2 * LARGEST_THRESHOLD


def give_back() -> None:
    """Let go of unused memory: glibc keeps what was freed inside its heap, which loading a model fills with holes.

    After SmolLM2 was loaded, 30 to 330 MB of the process were such holes, from run to run.
    """
    gc.collect()
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


@contextmanager
def without_holes() -> Iterator[None]:
    """Take each block of over 256 kB from the system by itself, and return it as soon as it is free.

    That makes no holes, and is slow: the system clears every page. It is for loading, which asks for each block once.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    libc.mallopt(M_MMAP_THRESHOLD, 256 * 1024)
    try:
        yield
    finally:
        libc.mallopt(M_MMAP_THRESHOLD, LARGEST_THRESHOLD)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT)


@cache
def _glibc() -> Any:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
