"""The bounded waiting line in front of an engine: first come, first served.

Knows nothing of models or HTTP. A waiting client is told its place; a client that leaves is removed at once.
Work in the background gives way to all of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

from curation.errors import InosukeError
from serve.engine import Alive, Cancelled, Done, Event, Queued

# How often a waiting request checks that its client is still there. New places are announced by notification.
_POLL_SECONDS = 0.5
# A place is repeated after this long, so that proxies do not take a long wait for a dead connection.
_REPEAT_SECONDS = 10.0
# Each work in the background holds a thread of the server while it waits.
_MOST_IN_BACKGROUND = 8
_BACKGROUND_SECONDS = 120.0

T = TypeVar("T")


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
        self._background = False
        self._in_background = 0
        self._changed = threading.Condition()

    @property
    def load(self) -> tuple[int, int]:
        """How many answers are running and how many requests wait."""
        with self._changed:
            return self._running, len(self._waiting)

    def in_turn(self, answer: Callable[[], Iterator[Event]], cancelled: Cancelled) -> Generator[Event]:
        """Wait for a free slot, yielding each new place, then yield the events of ``answer``.

        The first event, Alive, tells that the request has its place. The slot is free again when the events end or the
        generator is closed. Raises LineFull at the first ``next``.
        """
        ticket = self._join()
        has_slot = self._take(ticket)
        try:
            yield Alive()
            if not has_slot:
                has_slot = yield from self._wait(ticket, cancelled)
            if not has_slot or cancelled():
                yield Done("cancelled", 0, 0)
                return
            yield from answer()
        finally:
            self._leave(ticket, has_slot)

    def in_background(self, work: Callable[[Cancelled], T | None], cancelled: Cancelled) -> T | None:
        """Do ``work`` while no visitor is answered or waits; return its result, or None once ``cancelled`` is true.

        ``work`` is told to stop as soon as a visitor comes, and begins again when all have been answered; it returns
        None where it was stopped. One such work is done at a time. Raises LineFull where too many wait already, and
        when visitors have left no time for two minutes.
        """
        with self._changed:
            if self._in_background >= _MOST_IN_BACKGROUND:
                raise LineFull("the server has enough to do in the background. Try again in a moment.")
            self._in_background += 1
        try:
            end = time.monotonic() + _BACKGROUND_SECONDS
            while not cancelled() and time.monotonic() < end:
                if not self._take_background():
                    continue
                try:
                    result = work(lambda: cancelled() or self._has_visitors())
                finally:
                    with self._changed:
                        self._background = False
                        self._changed.notify_all()
                if result is not None:
                    return result
            if not cancelled():
                raise LineFull("the server had no time beside its visitors. Try again in a moment.")
            return None
        finally:
            with self._changed:
                self._in_background -= 1

    def _take_background(self) -> bool:
        """Begin to work in the background if nothing else is going on; otherwise wait for a change."""
        with self._changed:
            if self._running or self._waiting or self._background:
                self._changed.wait(_POLL_SECONDS)
                return False
            self._background = True
            return True

    def _has_visitors(self) -> bool:
        return bool(self._running or self._waiting)

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

    def _take(self, ticket: object) -> bool:
        """Take a slot, if one is free for this ticket."""
        with self._changed:
            free = self._is_free(self._waiting.index(ticket))
            if free:
                self._waiting.remove(ticket)
                self._running += 1
                self._changed.notify_all()
            return free

    def _wait(self, ticket: object, cancelled: Cancelled) -> Generator[Event, None, bool]:
        """Yield the place until there is a free slot, and take it. Returns False if the client left first."""
        announced, at = 0, 0.0
        while not cancelled():
            if self._take(ticket):
                return True
            with self._changed:
                place = self._waiting.index(ticket) + 1
                if place == announced and time.monotonic() - at < _REPEAT_SECONDS:
                    self._changed.wait(_POLL_SECONDS)
                    continue
            announced, at = place, time.monotonic()
            yield Queued(place)
        return False

    def _leave(self, ticket: object, has_slot: bool) -> None:
        with self._changed:
            if has_slot:
                self._running -= 1
            elif ticket in self._waiting:
                self._waiting.remove(ticket)
            self._changed.notify_all()

    def _is_free(self, ahead: int) -> bool:
        return self._running + ahead < self._slots
