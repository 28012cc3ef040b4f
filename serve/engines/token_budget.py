"""Limits how many tokens are in memory at once: an answer reserves what it may need and releases it at its end.

Knows nothing of models. Requests are served in the order they came, so that short ones cannot starve a long one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from serve.engine import Cancelled

# How often a waiting request checks that its client is still there. Free tokens are announced by notification.
_POLL_SECONDS = 0.25


class TokenBudget:
    """``tokens`` cells of the key/value cache that all answers share."""

    def __init__(self, tokens: int) -> None:
        self._free = tokens
        self._waiting: list[object] = []
        self._changed = threading.Condition()

    @contextmanager
    def reserve(self, tokens: int, cancelled: Cancelled) -> Iterator[bool]:
        """Hold ``tokens`` for the length of the block. Yields False if the client left before they were free."""
        reserved = self._wait(tokens, cancelled)
        try:
            yield reserved
        finally:
            if reserved:
                with self._changed:
                    self._free += tokens
                    self._changed.notify_all()

    def _wait(self, tokens: int, cancelled: Cancelled) -> bool:
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
