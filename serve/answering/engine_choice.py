"""Chooses the engine where none is named, with the reason. Looks at files and at the machine; loads nothing heavy."""

from __future__ import annotations

import sys
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path

from curation.errors import UsageError
from serve.engines import native_libraries
from serve.model_files import gguf_choice


def engine_for(run: Path) -> tuple[str, str]:
    """Return the name of the fastest engine for a run folder on this machine, and the reason.

    With CUDA that is `transformers`; without, llama.cpp is several times as fast (benchmarks/results.md).
    """
    files = gguf_choice.available(run)
    if not files:
        return (
            "transformers",
            f"the run has no GGUF file; `inosuke gguf {run.name}` makes one, faster on a CPU",
        )
    if has_cuda():
        return "transformers", "this machine has CUDA"
    try:
        native_libraries.xllamacpp()
    except UsageError as error:
        return "transformers", f"the run has a GGUF file, but {error}"
    return "llamacpp", f"no CUDA here, and the run has a GGUF file ({', '.join(f.type for f in files)})"


def has_cuda() -> bool:
    """Return whether torch finds a GPU. Torch is slow to import, so it is loaded only where a driver exists."""
    if find_library("nvcuda" if sys.platform == "win32" else "cuda") is None or find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()
