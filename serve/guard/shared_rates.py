"""Rates that several servers count together, in Redis by the library `limits`. Knows nothing of requests.

While the store is away each server counts by itself: visitors are answered, and one client still cannot take all of it.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from curation.errors import InosukeError, UsageError

if TYPE_CHECKING:
    from limits.strategies import RateLimiter

log = logging.getLogger("serve")

VARIABLE = "INOSUKE_RATE_STORE"
_SCHEMES = ("redis", "rediss", "redis+unix")
# A store in the same network answers within a millisecond; a visitor should not wait longer for one that is away.
_TIMEOUT_SECONDS = 0.5
_AGAIN_SECONDS = 5.0


class Counting(Protocol):
    """Counts the requests of clients."""

    def take(self, client: str) -> float:
        """Count one request. Returns 0, or the seconds after which the next one is allowed."""


class Store:
    """The Redis server. It is asked again every few seconds while it is away, by one request at a time."""

    def __init__(self, limiter: RateLimiter, name: str) -> None:
        self.limiter = limiter
        self.name = name
        self._away_until: float | None = None
        self._lock = threading.Lock()

    def is_tried(self) -> bool:
        """Return whether to ask it now."""
        with self._lock:
            if self._away_until is None:
                return True
            if time.monotonic() < self._away_until:
                return False
            self._away_until = time.monotonic() + _AGAIN_SECONDS  # the others do not wait for the same answer
            return True

    def answered(self) -> None:
        """Note that it answers."""
        with self._lock:
            if self._away_until is not None:
                log.warning("the rate store at %s answers again: the servers count together.", self.name)
            self._away_until = None

    def failed(self, error: Exception) -> None:
        """Note that it does not answer."""
        with self._lock:
            if self._away_until is None:
                log.warning(
                    "the rate store at %s does not answer (%s): each server counts by itself until it does.",
                    self.name, type(error).__name__,
                )  # fmt: skip
            self._away_until = time.monotonic() + _AGAIN_SECONDS


class SharedRates:
    """``most`` requests in the time in which ``per_minute`` allows as many on average, over all servers together.

    ``kind`` keeps the counts of different rates apart. ``alone`` counts while the store is away.
    """

    def __init__(self, store: Store, kind: str, per_minute: float, most: int, alone: Counting) -> None:
        from limits import RateLimitItemPerSecond

        self._item = RateLimitItemPerSecond(most, math.ceil(60 * most / per_minute), namespace=kind)
        self._store = store
        self._alone = alone

    def take(self, client: str) -> float:
        """Count one request. Returns 0, or the seconds after which the next one is allowed."""
        from limits.errors import StorageError

        if not self._store.is_tried():
            return self._alone.take(client)
        try:
            allowed = self._store.limiter.hit(self._item, client)
            again = 0.0 if allowed else self._store.limiter.get_window_stats(self._item, client).reset_time
        except StorageError as error:
            self._store.failed(error.storage_error)
            return self._alone.take(client)
        self._store.answered()
        return 0.0 if allowed else max(1.0, again - time.time())


def open_store(url: str) -> Store:
    """Connect to a store. Raises UsageError for an address that is not one, InosukeError if it does not answer."""
    name = _without_password(url)
    try:
        # Here, since a Space is one machine and does not install it.
        from limits.errors import StorageError
        from limits.storage import RedisStorage
        from limits.strategies import MovingWindowRateLimiter
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ModuleNotFoundError as error:
        raise InosukeError(
            f"{VARIABLE} is set, but the package {error.name} is missing. Run: pip install 'limits[redis]'"
        ) from None
    options: dict[str, Any] = {
        "socket_timeout": _TIMEOUT_SECONDS,
        "socket_connect_timeout": _TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 1),  # once: after a restart of Redis the connections of the pool are closed
    }
    storage = RedisStorage(url, key_prefix="inosuke", wrap_exceptions=True, **options)
    store = Store(MovingWindowRateLimiter(storage), name)
    try:
        # Not ping, which any server behind a login may answer: what is counted needs the right to run scripts.
        storage.get_moving_window("start", 1, 1)
    except StorageError as error:
        raise InosukeError(
            f"the rate store at {name} does not answer ({error.storage_error}). Start Redis there, correct {VARIABLE}, "
            "or leave it out: then this server counts by itself."
        ) from None
    return store


def _without_password(url: str) -> str:
    """Return an address without name and password, for messages. Raises UsageError where it is not one."""
    expected = f"Expected redis://HOST:PORT/NUMBER, rediss://… or redis+unix:///PATH in {VARIABLE}."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError(f"the address of the rate store cannot be read. {expected}") from None
    if parts.scheme not in _SCHEMES:
        raise UsageError(f"a rate store cannot have the scheme {parts.scheme!r}. {expected}")
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path}"
