"""Passes on what another thread receives from a model, and notices while it waits that the client has gone."""

from __future__ import annotations

from collections.abc import Generator
from queue import Empty, SimpleQueue
from typing import Any

from serve.engine import Cancelled

Chunk = dict[str, Any]
_POLL_SECONDS = 0.1


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
