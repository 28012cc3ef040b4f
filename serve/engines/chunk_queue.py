"""Passes on what another thread receives from a model, and notices while it waits that the client has gone."""

from __future__ import annotations

from collections.abc import Generator
from queue import Empty, SimpleQueue
from typing import Any

from serve.engine import Cancelled, Likely

Chunk = dict[str, Any]
_POLL_SECONDS = 0.1
_IMPOSSIBLE = -9999.0  # OpenAI's stand-in for a probability of zero, which JSON cannot write as a logarithm


def received(chunks: SimpleQueue[Chunk | None], cancelled: Cancelled) -> Generator[Chunk, None, bool]:
    """Yield chunks up to the None that ends them. Returns False if ``cancelled`` became true before that."""
    while not cancelled():
        try:
            chunk = chunks.get(timeout=_POLL_SECONDS)
        except Empty:
            continue
        if chunk is None:
            return True
        yield chunk
    return False


def likely(logprobs: Any, most: int | None) -> tuple[Likely, ...]:
    """Return the tokens of a chunk's ``logprobs`` in OpenAI's shape, each with at most ``most`` alternatives."""
    if most is None or not isinstance(logprobs, dict):
        return ()

    def read(entry: dict[str, Any]) -> Likely:
        value = entry.get("logprob")
        given = entry.get("bytes")
        return Likely(
            token=str(entry.get("token", "")),
            logprob=_IMPOSSIBLE if value is None else max(float(value), _IMPOSSIBLE),
            bytes=None if given is None else tuple(given),
            top=tuple(read(other) for other in (entry.get("top_logprobs") or ())[:most]),
        )

    return tuple(read(entry) for entry in logprobs.get("content") or ())
