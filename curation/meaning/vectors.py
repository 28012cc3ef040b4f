"""The vectors of texts: from memory, from the disk, or else from the model, which reads each text once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curation.console import bar
from curation.meaning import vector_files
from curation.meaning.encoder import DIMENSIONS, Encoder

# Few enough that the bar moves and a search at the desk waits only a moment behind a batch.
_BATCH = 16
# A run that is interrupted loses at most the vectors of this many texts: about a minute of a slow machine.
_SAVE_EVERY = 1_024


class Vectors:
    """The vectors of texts, by ``encoder``. Safe to use from several threads.

    ``folder`` keeps them on the disk, below the encoder's name; without one they are forgotten with the process.
    ``tell`` gets a message for each damaged file.
    """

    def __init__(self, encoder: Encoder, folder: Path | None, tell: Callable[[str], None]) -> None:
        self.encoder = encoder
        self._folder = None if folder is None else folder / encoder.name
        self._lock = threading.Lock()
        keys: list[bytes] = []
        self._matrix: NDArray[np.float32] = np.empty((0, DIMENSIONS), np.float32)
        if self._folder is not None:
            keys, self._matrix, damaged = vector_files.read_all(self._folder, DIMENSIONS)
            for message in damaged:
                tell(message)
        self._at = {key: at for at, key in enumerate(keys)}

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Return the texts that the model has still to read, each once."""
        with self._lock:
            return [text for text in dict.fromkeys(texts) if vector_files.key_of(text) not in self._at]

    def of(
        self, texts: Sequence[str], *, quiet: bool = True, step: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Return the vectors, (texts, ``DIMENSIONS``), each of length 1. What is new is written to the disk.

        Unless ``quiet``, work of more than a second shows a bar. ``step`` is told how many texts were just read.
        Raises InosukeError where the folder cannot be written to.
        """
        new = self.missing(texts)
        with bar(len(new), "reading", "text", quiet=quiet or not new) as progress:
            for start in range(0, len(new), _SAVE_EVERY):
                part = new[start : start + _SAVE_EVERY]
                read = []
                for at in range(0, len(part), _BATCH):
                    batch = part[at : at + _BATCH]
                    read.append(self.encoder.passages(batch))
                    progress.update(len(batch))
                    if step is not None:
                        step(len(batch))
                self._keep(part, np.concatenate(read))
        with self._lock:
            rows = [self._at[vector_files.key_of(text)] for text in texts]
            return self._matrix[np.array(rows, np.int64)]

    def _keep(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        keys = [vector_files.key_of(text) for text in texts]
        if self._folder is not None:
            vector_files.write(self._folder, keys, vectors)
        with self._lock:
            first = len(self._matrix)
            self._matrix = np.concatenate([self._matrix, vectors])
            self._at |= {key: first + at for at, key in enumerate(keys)}
