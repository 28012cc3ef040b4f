"""How far the reading of one file is, for the bar of `inosuke import`: a share from 0 to 1. Knows no bar.

Whoever shows it calls :func:`listen`; whoever loops over a file's lines or an archive's members calls :func:`tell`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_EVERY = 1_000  # items between two calls
_listener: Callable[[float], None] | None = None
_low, _high = 0.0, 1.0


@contextmanager
def listen(listener: Callable[[float], None]) -> Iterator[None]:
    """Pass what this process tells to ``listener`` until the block ends."""
    global _listener
    _listener = listener
    try:
        yield
    finally:
        _listener = None


@contextmanager
def part(start: float, end: float) -> Iterator[None]:
    """Let what is told inside the block count for this part of the file, such as a member of an archive."""
    global _low, _high
    outer = _low, _high
    _low, _high = _low + start * (_high - _low), _low + end * (_high - _low)
    try:
        yield
    finally:
        _low, _high = outer


def tell(share: float) -> None:
    """Tell that this share of the file, or of the part that is being read, is done."""
    if _listener is not None:
        _listener(_low + share * (_high - _low))


def told(items: Sequence[T], start: float = 0.0, end: float = 1.0) -> Iterator[T]:
    """Yield the items, and tell now and then how far they are between two shares of the file."""
    number = len(items)
    for at in range(0, number, _EVERY):
        yield from items[at : at + _EVERY]
        tell(start + (end - start) * min(1.0, (at + _EVERY) / number))
