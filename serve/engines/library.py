"""Loads llama.cpp's library into this process, set up for a machine that it does not have to itself."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from curation.errors import UsageError


def xllamacpp() -> Any:
    """Return the module. Raises UsageError, with the system's reason, where it cannot be loaded."""
    # Read by OpenMP when the library is loaded. Threads that spin while they wait for each other took most of the time
    # wherever somebody else wanted a core, too: 2 cores, load 5: 3 tokens a second spinning, 18 sleeping.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        return import_module("xllamacpp")
    except ImportError as error:
        hint = "apt-get install libgomp1" if "libgomp" in str(error) else "pip install xllamacpp"
        raise UsageError(f"the engine `llamacpp` needs xllamacpp ({error}): {hint}") from None
