"""Starts llama.cpp's server inside this process (xllamacpp). Knows files and memory, nothing of messages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from curation.contracts.llamacpp_server import parameters
from curation.errors import InosukeError
from serve.engines import native_libraries

SLOTS = 8
# Cells of the key/value cache that all slots share: a whole window, and two more of at most this many tokens. A window
# for each slot would multiply the memory for a rare case; `TokenBudget` makes answers wait where it happens.
_OTHERS = 2048
# Caches of conversations that have lost their slot to another client: continuing one need not read it all again.
_KEPT_MIB = 32


class Started:
    """A server that the first caller starts; the others wait for it."""

    def __init__(self, start: Callable[[], Any]) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._server: Any = None

    def server(self) -> Any:
        """Return the server; start it first if that was not done yet."""
        with self._lock:
            if self._server is None:
                self._server = self._start()
            return self._server


def start(path: Path, context: int, slots: int = SLOTS, adapters: Sequence[Path] = ()) -> Any:
    """Return an ``xllamacpp.Server`` over a GGUF file. A request may name one of the ``adapters`` by its number."""
    xllamacpp = native_libraries.xllamacpp()
    params = parameters(xllamacpp, path, pool(context, slots), adapters)
    params.n_parallel = slots
    params.kv_unified = True
    params.n_batch = params.n_ubatch = 512
    # llama.cpp gives a kept conversation to any request that begins alike, whichever adapter has read it: with two
    # adapters one would go on from what the other has read (docs/experiments/2026-11-30-one-base.md). In the slots
    # themselves it looks at the adapter.
    params.cache_ram_mib = 0 if adapters else _KEPT_MIB
    try:
        return xllamacpp.Server(params)
    except RuntimeError:
        raise InosukeError(
            f"{path} cannot be loaded by llama.cpp: it is damaged, too large for the memory, or of an architecture "
            "that llama.cpp does not know. Run `inosuke gguf` again, or serve the adapter with --engine transformers."
        ) from None


def pool(context: int, slots: int = SLOTS) -> int:
    """Return how many tokens all slots may hold together."""
    return context + min(slots - 1, 2) * min(context, _OTHERS)
