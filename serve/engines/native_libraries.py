"""Loads llama.cpp's library, and sets up the computing libraries for a machine that other programs use too."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from curation.errors import UsageError


# patch: openmp-wait-policy (train/speedups/patches.py)
def let_threads_sleep() -> None:
    """Make OpenMP threads sleep while they wait for each other. Call it before llama.cpp or torch is loaded.

    OpenMP reads the variable once, when it is loaded. Threads that spin while they wait are many times slower as soon
    as another program wants a core (docs/experiments/2026-11-26-openmp-spinning.md). Training does the same.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def xllamacpp() -> Any:
    """Return the module. Raises UsageError, with the system's reason, where it cannot be loaded."""
    let_threads_sleep()
    try:
        return import_module("xllamacpp")
    except ImportError as error:
        hint = "apt-get install libgomp1" if "libgomp" in str(error) else "pip install xllamacpp"
        raise UsageError(f"the engine `llamacpp` needs xllamacpp, which cannot be loaded ({error}): {hint}") from None
