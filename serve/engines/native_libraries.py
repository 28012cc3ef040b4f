"""Sets the libraries that compute up for a machine that they do not have to themselves, and loads llama.cpp's."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from curation.errors import UsageError


def let_threads_sleep() -> None:
    """Have threads sleep while they wait for each other; call it before llama.cpp or torch is loaded.

    OpenMP reads it then, and never again. Threads that spin took most of the time wherever somebody else wanted a core,
    too. llama.cpp, 2 cores, load 5: 3 tokens a second spinning, 18 sleeping; transformers: 0.5 and 8 to 16.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def xllamacpp() -> Any:
    """Return the module. Raises UsageError, with the system's reason, where it cannot be loaded."""
    let_threads_sleep()
    try:
        return import_module("xllamacpp")
    except ImportError as error:
        hint = "apt-get install libgomp1" if "libgomp" in str(error) else "pip install xllamacpp"
        raise UsageError(f"the engine `llamacpp` needs xllamacpp ({error}): {hint}") from None
