"""Returns unused memory to the operating system, where the C library is glibc. Does nothing elsewhere."""

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
LARGEST_THRESHOLD = 32 * 2**20  # the largest value that glibc itself chooses as blocks come and go
# Free memory to keep at the end of the heap: what glibc itself would have chosen by now. Once the other threshold is
# set, glibc stops adapting this one and leaves it at 128 kB, and a training requests the same pages again and again.
KEPT = 2 * LARGEST_THRESHOLD


def trim() -> None:
    """Return freed memory to the system: glibc keeps it inside its heap, which loading a model fragments.

    Figures: docs/experiments/2026-11-26-heap-fragmentation.md.
    """
    gc.collect()
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)  # patch: glibc-malloc


@contextmanager
def mmap_large_blocks() -> Iterator[None]:
    """Allocate each block of over 256 kB with mmap, so that it returns to the system as soon as it is freed.

    This prevents fragmentation but is slow, since the system clears every page. Use it for loading, which allocates
    each block once.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    # patch: glibc-malloc
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
