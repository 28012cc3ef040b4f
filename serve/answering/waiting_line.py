"""The bounded waiting line in front of an engine: first come, first served.

Knows nothing of models or HTTP. A waiting client is told its place; a client that leaves is removed at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator

from curation.errors import InosukeError
from serve.engine import Cancelled, Done, Event, Queued

# How often a waiting request checks that its client is still there. New places are announced by notification.
_POLL_SECONDS = 0.5
# A place is repeated after this long, so that proxies do not take a long wait for a dead connection.
_REPEAT_SECONDS = 10.0


class LineFull(InosukeError):
    """Too many requests wait already. ``retry_after`` is in seconds."""

    retry_after = 10


class WaitingLine:
    """Lets ``slots`` answers run at the same time and ``limit`` more requests wait."""

    def __init__(self, slots: int = 1, limit: int = 16) -> None:
        self._slots = slots
        self._limit = limit
        self._running = 0
        self._waiting: list[object] = []
        self._changed = threading.Condition()

    @property
    def load(self) -> tuple[int, int]:
        """How many answers are running and how many requests wait."""
        with self._changed:
            return self._running, len(self._waiting)

    def in_turn(self, answer: Callable[[], Iterator[Event]], cancelled: Cancelled) -> Generator[Event]:
        """Wait for a free slot, yielding each new place, then yield the events of ``answer``.

        The slot is free again when the events end or the generator is closed. Raises LineFull at the first ``next``.
        """
        ticket = self._join()
        try:
            has_slot = yield from self._wait(ticket, cancelled)
        finally:
            self._leave(ticket)
        if not has_slot:
            yield Done("cancelled", 0, 0)
            return
        try:
            yield from answer()
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _join(self) -> object:
        ticket = object()
        with self._changed:
            if not self._is_free(len(self._waiting)) and len(self._waiting) >= self._limit:
                raise LineFull(
                    f"the server is busy (answers running: {self._running}, requests waiting: {len(self._waiting)}). "
                    "Try again in a moment."
                )
            self._waiting.append(ticket)
        return ticket

    def _wait(self, ticket: object, cancelled: Cancelled) -> Generator[Event, None, bool]:
        """Yield the place until there is a free slot, and take it. Returns False if the client left first."""
        announced, at = 0, 0.0
        while not cancelled():
            with self._changed:
                place = self._waiting.index(ticket) + 1
                if self._is_free(place - 1):
                    self._waiting.remove(ticket)
                    self._running += 1
                    self._changed.notify_all()
                    return True
                if place == announced and time.monotonic() - at < _REPEAT_SECONDS:
                    self._changed.wait(_POLL_SECONDS)
                    continue
            announced, at = place, time.monotonic()
            yield Queued(place)
        return False

    def _leave(self, ticket: object) -> None:
        with self._changed:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _is_free(self, ahead: int) -> bool:
        return self._running + ahead < self._slots
