"""Many texts in one array of bytes, which can be mapped from disk and shared by processes; each decodes by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Packed:
    """blob: uint8 (bytes,), UTF-8; ends: int64 (texts + 1,), text k is ``blob[ends[k] : ends[k + 1]]``."""

    blob: NDArray[np.uint8]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, at: int) -> str:
        if not 0 <= at < len(self):
            raise IndexError(at)
        return self.blob[self.ends[at] : self.ends[at + 1]].tobytes().decode("utf-8", "surrogatepass")


def pack(texts: Iterable[str]) -> Packed:
    """Pack texts. Lone surrogates, which damaged files have, are kept, so that texts compare as they are."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    ends = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=ends[1:])
    return Packed(np.frombuffer(b"".join(encoded), np.uint8), ends)
