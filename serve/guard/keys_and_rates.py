"""Who may send requests, and how often: optional keys, and a rate for each client. Knows nothing of models.

With keys, every request except the health checks needs one: as ``Authorization: Bearer KEY``, or as the password of
HTTP Basic, for which a browser asks by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from flask import Flask, abort, request

from curation.errors import InosukeError, UsageError
from serve.config import ServerConfig
from serve.guard.shared_rates import VARIABLE, Counting, SharedRates, open_store

# What is limited by the rate: what costs work. Looking at pages is free.
LIMITED = (
    "/api/chat", "/api/room", "/v1/chat/completions", "/v1/completions", "/api/feedback", "/api/memory", "/api/count",
)  # fmt: skip
# What a page asks for while its visitor types has a rate of its own, this many times that of messages.
_TYPING, _TIMES = "/api/count", 10
OPEN = ("/healthz", "/readyz", "/health")
# How many clients are remembered. Beyond that, the clients with the oldest last request are forgotten.
_CLIENTS = 10_000


class NoKey(InosukeError):
    """The request has no key, or a wrong one."""


class TooOften(InosukeError):
    """A client sends more requests than it may. ``retry_after`` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Rates:
    """A token bucket for each client: ``per_minute`` requests on average, a quarter of them (at least 5) at once."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._refill = per_minute / 60
        self.burst = max(5.0, per_minute / 4)
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, client: str) -> float:
        """Count one request. Returns 0, or the seconds after which the next one is allowed."""
        now = self._clock()
        with self._lock:
            # Removed and added again at the end, so that the dict is in the order of the last request.
            left, at = self._buckets.pop(client, (self.burst, now))
            left = min(self.burst, left + (now - at) * self._refill)
            allowed = left >= 1
            self._buckets[client] = (left - 1 if allowed else left, now)
            while len(self._buckets) > _CLIENTS:
                self._buckets.pop(next(iter(self._buckets)))
        return 0.0 if allowed else (1 - left) / self._refill


class Keys:
    """A set of keys, of which only the hashes are kept."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = [_digest(k) for k in keys]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def knows(self, given: str) -> bool:
        """Return whether a key is one of them, in a time that does not depend on how much of it is right."""
        digest = _digest(given)
        return sum([hmac.compare_digest(digest, d) for d in self._digests]) > 0


def read_keys(given: Sequence[str], file: Path | None) -> Keys:
    """Return the given keys and those of a file: one a line, # for comments. Raises UsageError for weak keys."""
    keys = list(given)
    if file is not None:
        try:
            lines = Path(file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"{file}: the keys cannot be read ({error}). Expected a text file with one key a line."
            ) from None
        keys += [key for line in lines if (key := line.strip()) and not key.startswith("#")]
        if not keys:
            raise UsageError(f"{file} contains no key, so every request would be refused. Expected one key a line.")
    if short := [key for key in keys if len(key) < 16]:
        raise UsageError(
            f"a key of {len(short[0])} characters can be guessed; expected at least 16. "
            "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(24))'"
        )
    return Keys(keys)


class Limits:
    """How often a client may ask: messages, and counts while it types. Applications that share one count together.

    Raises InosukeError where several servers are to count together and cannot.
    """

    def __init__(self, config: ServerConfig) -> None:
        store = config.rate_store.get_secret_value() if config.rate_store else None
        if store and not config.rate:
            raise UsageError(f"{VARIABLE} is set, but there is no rate to count. Set INOSUKE_RATE, for example to 30.")
        self._store = open_store(store) if store else None
        self._messages = self._counting("messages", config.rate)
        self._typing = self._counting("typing", config.rate * _TIMES)

    def take(self, path: str, client: str) -> float:
        """Count a request. Returns 0, or the seconds after which the next one is allowed."""
        rates = self._typing if path == _TYPING else self._messages
        return rates.take(client) if rates else 0.0

    def _counting(self, kind: str, per_minute: float) -> Counting | None:
        if not per_minute:
            return None
        alone = Rates(per_minute)
        return SharedRates(self._store, kind, per_minute, int(alone.burst), alone) if self._store else alone


def protect(app: Flask, config: ServerConfig, limits: Limits | None = None) -> None:
    """Add the checks to an application; ``limits`` are those that it shares with others."""
    keys = read_keys(config.keys, config.keys_file)
    limits = limits or Limits(config)
    metrics = read_keys(config.metrics_key, None)

    @app.before_request
    def ask_for_a_key() -> None:
        if request.path == "/metrics" and (metrics or not (keys or config.metrics_open)):
            if not metrics:
                abort(403, "this server shows its counters to no one: its owner has not set INOSUKE_METRICS_KEY.")
            if not metrics.knows(given_key()):
                raise NoKey("the counters need a key of their own: send `Authorization: Bearer KEY`.")
            return
        fetching = request.path == "/api/feedback" and request.method == "GET"  # has a key of its own
        if keys and request.path not in OPEN and not fetching and not keys.knows(given_key()):
            raise NoKey("this server needs a key: send `Authorization: Bearer KEY`, with a key from its owner.")

    @app.before_request
    def slow_down() -> None:
        if request.path not in LIMITED or request.method != "POST":
            return
        wait = limits.take(request.path, client())
        if wait:
            seconds = math.ceil(wait)
            raise TooOften(f"too many messages in a short time. Try again in {seconds} s.", seconds)


def given_key() -> str:
    """Return the key of the current request, or an empty text."""
    given = request.authorization
    if given is None or given.type not in ("basic", "bearer"):
        return ""
    return (given.password if given.type == "basic" else given.token) or ""


def client() -> str:
    """Return what identifies the client of the current request: its address, for IPv6 its customer's network."""
    return network(request.remote_addr or "")


def network(address: str) -> str:
    """Return an address, for IPv6 its customer's network, which may have any number of addresses."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return address


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
