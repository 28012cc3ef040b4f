"""How many tokens may be in memory at once: answers take what they may need and give it back.

Knows nothing of models. Who comes first is served first, so that a long conversation is not starved by short ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Somebody who waits is asked this often whether they are still there; room itself is told by notification.
_POLL_SECONDS = 0.25


class Room:
    """``tokens`` cells that answers share."""

    def __init__(self, tokens: int) -> None:
        self._free = tokens
        self._waiting: list[object] = []
        self._changed = threading.Condition()

    @contextmanager
    def take(self, tokens: int, cancelled: Callable[[], bool]) -> Iterator[bool]:
        """Hold ``tokens`` for the length of the block; gives False to somebody who gave up before there was room."""
        got = self._wait(tokens, cancelled)
        try:
            yield got
        finally:
            if got:
                with self._changed:
                    self._free += tokens
                    self._changed.notify_all()

    def _wait(self, tokens: int, cancelled: Callable[[], bool]) -> bool:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket or self._free < tokens:
                    if cancelled():
                        return False
                    self._changed.wait(_POLL_SECONDS)
                self._free -= tokens
                return True
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
