"""Starts llama.cpp's server inside this process (xllamacpp). Knows files and memory, nothing of messages."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

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
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel = slots
    params.kv_unified = True
    params.n_ctx = pool(context, slots)
    # Layers with a sliding window (Gemma 3) would keep the window's tokens only, and llama.cpp would read the system
    # prompt again for each new conversation.
    params.swa_full = True
    params.n_batch = params.n_ubatch = 512
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = cores()
    params.fit_params = False
    # llama.cpp gives a kept conversation to any request that begins alike, whichever adapter has read it: with two
    # adapters one would go on from what the other has read (docs/experiments/2026-11-30-one-base.md). In the slots
    # themselves it looks at the adapter.
    params.cache_ram_mib = 0 if adapters else _KEPT_MIB
    if adapters:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(file), 0.0) for file in adapters]
        params.lora_init_without_apply = True
    params.verbosity = -1
    # It opens an HTTP port on this machine too, which is not used here: nothing answers there without this random key.
    params.api_keys = [secrets.token_urlsafe(32)]
    params.ui = params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    params.cors_origins = "http://127.0.0.1"
    params.n_threads_http = 1
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


def cores() -> int:
    """Return how many cores this process may use: in a container its share, not the host's cores."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = Path("/sys/fs/cgroup/cpu.max")
    if quota.is_file():
        share, period = quota.read_text(encoding="ascii").split()
        if share != "max":
            allowed = min(allowed, max(1, round(int(share) / int(period))))
    return allowed
