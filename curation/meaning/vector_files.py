"""Vectors on the disk: files of (hash of a text, vector), each written once. Knows no model and no samples.

A file is safetensors, with a checksum of its content: it holds numbers alone, and nothing in it can run. New vectors
get a file of their own, so that one new text does not rewrite all others; many small files are joined when they are
read. Several processes may read and write at the same time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.files import write_atomically

KEY_BYTES = 16
_SUFFIX = ".safetensors"
# Reading one file takes less time than finding it; beyond this number they are joined.
_MOST_FILES = 16


def key_of(text: str) -> bytes:
    """Return the 16 bytes that name a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:KEY_BYTES]


def read_all(folder: Path, dimensions: int) -> tuple[list[bytes], NDArray[np.float32], list[str]]:
    """Return the keys, their vectors (keys, dimensions), and a message for each damaged file, which is removed.

    A folder that does not exist is empty. Raises InosukeError where the joined file cannot be written.
    """
    keys: list[bytes] = []
    found: list[NDArray[np.float32]] = []
    damaged: list[str] = []
    paths = sorted(folder.glob(f"*{_SUFFIX}"))
    for path in paths:
        try:
            data = path.read_bytes()
        except FileNotFoundError:  # another process has just joined the files
            continue
        except OSError as error:
            damaged.append(f"{path}: cannot be read ({error.strerror or error}); its texts are read by the model again")
            continue
        try:
            names, vectors = _parsed(data, dimensions)
        except ValueError as error:
            damaged.append(f"{path}: damaged ({error}), so it was removed; its texts are read by the model again")
            path.unlink(missing_ok=True)
            continue
        keys += names
        found.append(vectors)
    matrix = np.concatenate(found) if found else np.empty((0, dimensions), np.float32)
    if len(found) > _MOST_FILES:
        joined = write(folder, keys, matrix)
        for path in paths:
            if path != joined:
                path.unlink(missing_ok=True)
    return keys, matrix, damaged


def write(folder: Path, keys: Sequence[bytes], vectors: NDArray[np.float32]) -> Path:
    """Write one file and return its path. Raises InosukeError where the folder cannot be written to."""
    from safetensors.numpy import save

    names = np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), KEY_BYTES)
    check = _checksum(names, vectors)
    path = folder / f"{check.hex()[:16]}{_SUFFIX}"
    tensors: dict[str, NDArray[Any]] = {
        "keys": names,
        "vectors": np.ascontiguousarray(vectors),
        "sha256": np.frombuffer(check, np.uint8),
    }
    write_atomically(path, save(tensors))
    return path


def _parsed(data: bytes, dimensions: int) -> tuple[list[bytes], NDArray[np.float32]]:
    """Return what a file holds. Raises ValueError for anything that :func:`write` has not written."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(data)
        names, vectors, check = tensors["keys"], tensors["vectors"], tensors["sha256"]
    except SafetensorError as error:
        raise ValueError(str(error)) from None
    except KeyError as error:
        raise ValueError(f"without {error}") from None
    if names.dtype != np.uint8 or names.shape[1:] != (KEY_BYTES,):
        raise ValueError("its keys have another shape")
    if vectors.dtype != np.float32 or vectors.shape != (len(names), dimensions):
        raise ValueError("its vectors have another shape")
    if check.tobytes() != _checksum(names, vectors):
        raise ValueError("its checksum does not fit")
    return [row.tobytes() for row in names], vectors


def _checksum(names: NDArray[np.uint8], vectors: NDArray[np.float32]) -> bytes:
    digest = hashlib.sha256(np.ascontiguousarray(names).tobytes())
    digest.update(np.ascontiguousarray(vectors).tobytes())
    return digest.digest()
