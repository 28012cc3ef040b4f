"""The waiting line in front of an engine: first come, first served, with an end.

Knows nothing of models or HTTP. Somebody who waits is told the place; somebody who gives up leaves the line at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator

from curation.errors import InosukeError
from serve.engine import Cancelled, Done, Event, Queued

# How often somebody who waits is asked whether they are still there. Places are told at once, by notification.
_POLL_SECONDS = 0.5
# A place is said again after this long, so that proxies do not take a long wait for a dead connection.
_REPEAT_SECONDS = 10.0


class LineFull(InosukeError):
    """Too many people wait already."""

    retry_after = 10


class Line:
    """Lets ``slots`` answers run at a time and ``limit`` more people wait."""

    def __init__(self, slots: int = 1, limit: int = 16) -> None:
        self._slots = slots
        self._limit = limit
        self._running = 0
        self._waiting: list[object] = []
        self._changed = threading.Condition()

    @property
    def load(self) -> tuple[int, int]:
        """Return how many answers are being made and how many people wait."""
        with self._changed:
            return self._running, len(self._waiting)

    def run(self, work: Callable[[], Iterator[Event]], cancelled: Cancelled) -> Generator[Event]:
        """Wait for a turn, telling the place, then pass on the events of ``work``.

        The turn ends when the events do, or when the iterator is closed. Raises LineFull at the first ``next``.
        """
        ticket = self._join()
        try:
            turn = yield from self._wait(ticket, cancelled)
        finally:
            self._leave(ticket)
        if not turn:
            yield Done("cancelled", 0, 0)
            return
        try:
            yield from work()
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _join(self) -> object:
        ticket = object()
        with self._changed:
            if not self._free(len(self._waiting)) and len(self._waiting) >= self._limit:
                raise LineFull("he is talking to as many people as he can. Try again in a moment.")
            self._waiting.append(ticket)
        return ticket

    def _wait(self, ticket: object, cancelled: Cancelled) -> Generator[Event, None, bool]:
        """Tell the place until the turn has come, and take it. Returns False for somebody who gave up."""
        told, at = 0, 0.0
        while not cancelled():
            with self._changed:
                place = self._waiting.index(ticket) + 1
                if self._free(place - 1):
                    self._waiting.remove(ticket)
                    self._running += 1
                    self._changed.notify_all()
                    return True
                if place == told and time.monotonic() - at < _REPEAT_SECONDS:
                    self._changed.wait(_POLL_SECONDS)
                    continue
            told, at = place, time.monotonic()
            yield Queued(place)
        return False

    def _leave(self, ticket: object) -> None:
        with self._changed:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _free(self, ahead: int) -> bool:
        return self._running + ahead < self._slots
