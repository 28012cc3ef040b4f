"""How llama.cpp's server (xllamacpp) is set up, alike where it serves and where it measures.

Comes in: GGUF files. Goes out: parameters of a server that only this process can ask. Knows nothing of messages
and of runs.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def parameters(xllamacpp: Any, path: Path, context: int, adapters: Sequence[Path] = ()) -> Any:
    """Return ``xllamacpp.CommonParams`` for a GGUF file, ``context`` tokens for all slots together, and adapters.

    An adapter is silent unless a request names its number. ``xllamacpp`` is the module, which each side loads its own
    way.
    """
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = context
    # Layers with a sliding window (Gemma 3) would keep the window's tokens only, and llama.cpp would read the system
    # prompt again for each new conversation.
    params.swa_full = True
    params.fit_params = False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = cores()
    if adapters:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(file), 0.0) for file in adapters]
        params.lora_init_without_apply = True
    params.verbosity = -1
    # It opens an HTTP port on this machine too, which is not used here: nothing answers there without this random key.
    params.api_keys = [secrets.token_urlsafe(32)]
    params.ui = params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    params.cors_origins = "http://127.0.0.1"
    params.n_threads_http = 1
    return params


def cores() -> int:
    """Return how many cores this process may use: in a container its share, not the host's cores."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = Path("/sys/fs/cgroup/cpu.max")
    if quota.is_file():
        share, period = quota.read_text(encoding="ascii").split()
        if share != "max":
            allowed = min(allowed, max(1, round(int(share) / int(period))))
    return allowed
