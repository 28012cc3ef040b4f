"""Chooses the engine where none is named, with the reason. Looks at files and at the machine; loads nothing heavy."""

from __future__ import annotations

import sys
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path

from curation.contracts.run import read_metrics
from curation.errors import UsageError
from serve.engines import native_libraries
from serve.model_files import gguf_choice


def engine_for(run: Path) -> tuple[str, str]:
    """Return the name of the fastest engine for a run folder on this machine, and the reason.

    With CUDA that is `transformers`, as long as the base fits into the GPU; without, llama.cpp is several times as fast
    (benchmarks/results.md).
    """
    files = gguf_choice.available(run)
    if not files:
        return (
            "transformers",
            f"the run has no GGUF file; `inosuke gguf {run.name}` makes one, faster on a CPU",
        )
    no_gpu = "no CUDA here"
    if has_cuda():
        fits, why = _fits_gpu(run)
        if fits:
            return "transformers", f"this machine has CUDA; {why}"
        no_gpu = f"the GPU is too small: {why}"
    try:
        native_libraries.xllamacpp()
    except UsageError as error:
        return "transformers", f"the run has a GGUF file, but {error}"
    return "llamacpp", f"{no_gpu}, and the run has a GGUF file ({', '.join(f.type for f in files)})"


def _fits_gpu(run: Path) -> tuple[bool, str]:
    """Return whether a run's base fits into the GPU in some form, and the figures."""
    from serve.engines.transformers import pool
    from serve.engines.transformers_parts.weights_form import fitting
    from serve.engines.window import SMALLEST_DEFAULT

    path = read_metrics(run).base_model.path
    local = run.parent.parent / path
    try:
        form, why = fitting(local if local.is_dir() else path, pool(SMALLEST_DEFAULT))
    except (OSError, ValueError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        return False, f"its base cannot be read ({first})"
    return form is not None, why


def has_cuda() -> bool:
    """Return whether torch finds a GPU. Torch is slow to import, so it is loaded only where a driver exists."""
    if find_library("nvcuda" if sys.platform == "win32" else "cuda") is None or find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()
