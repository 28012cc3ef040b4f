"""Texts on disk, distinct and shortest first, with their signatures: the input of a join larger than memory.

Memory holds some 100 bytes a text; the texts themselves and their counts (about 150 bytes a text and the UTF-8) lie in
a folder. Files are written from beginning to end and mapped afterwards: writing into a map kills the process when the
disk is full.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from curation.console import bar
from curation.dedup.join.free_disk import check_disk
from curation.dedup.join.layout import COARSE, FINE, LANES
from curation.dedup.join.packed import Packed
from curation.dedup.join.signature import FITTED, Signatures, count_packed, fit_buckets
from curation.dedup.join.similar import check_texts
from curation.dedup.join.tiles import JoinInput
from curation.errors import InosukeError

# The compiled loop numbers rows in 32 bits.
MOST_TEXTS = 2**31 - 1
_AT_ONCE = 512 * LANES  # texts that are read, or counted, at a time


@dataclass(frozen=True, slots=True)
class SortedTexts:
    """side: the distinct texts, shortest first; number: int32 (texts,), for each text that was read its place there."""

    side: JoinInput
    number: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Read:
    """The texts as they came. lengths: int32 (texts,), characters; keys: uint64 (texts,), of the bytes."""

    texts: Packed
    lengths: NDArray[np.int32]
    keys: NDArray[np.uint64]


def sort_texts(texts: Iterable[str], folder: Path, *, progress: bool = False, at_once: int = _AT_ONCE) -> SortedTexts:
    """Write texts and signatures into an empty folder. ``at_once``, a multiple of 64, bounds memory.

    Raises InosukeError for an item that is not a str, too many texts or too little disk space, OSError when the disk
    is full all the same.
    """
    read = _spool(texts, folder / "read", progress, at_once)
    distinct, number = _distinct(read)
    signed = len(distinct) * (2 * FINE + COARSE) + len(read.texts.blob)
    check_disk(signed, folder, f"the signatures of {len(distinct):,} texts")
    side = _sign(read, distinct, folder, progress, at_once)
    (folder / "read").unlink()
    return SortedTexts(side, number)


def _spool(texts: Iterable[str], path: Path, progress: bool, at_once: int) -> _Read:
    sizes: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    lengths: list[NDArray[np.int32]] = [np.empty(0, np.int32)]
    keys: list[NDArray[np.uint64]] = [np.empty(0, np.uint64)]
    count = 0
    source = iter(texts)
    # The number of texts is not known: the bar counts up.
    with path.open("wb") as file, bar(None, "read", "text", quiet=not progress, scale=True) as shown:
        while batch := list(islice(source, at_once)):
            check_texts(batch, count)
            encoded = [text.encode("utf-8", "surrogatepass") for text in batch]
            file.write(b"".join(encoded))
            sizes.append(np.fromiter(map(len, encoded), np.int64, len(batch)))
            lengths.append(np.fromiter(map(len, batch), np.int32, len(batch)))
            keys.append(np.frombuffer(b"".join(map(_key, encoded)), np.uint64))
            count += len(batch)
            if count > MOST_TEXTS:
                raise InosukeError(f"more than {MOST_TEXTS:,} texts. Compare them in parts.")
            shown.update(len(batch))
    ends = np.zeros(count + 1, np.int64)
    np.cumsum(np.concatenate(sizes), out=ends[1:])
    return _Read(Packed(_mapped(path, np.uint8, int(ends[-1])), ends), np.concatenate(lengths), np.concatenate(keys))


def _key(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=8).digest()


def _distinct(read: _Read) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the first of each group of equal texts, shortest first, and for each text the place of its first there."""
    order = np.lexsort((read.keys, read.lengths))
    key, length = read.keys[order], read.lengths[order]
    again = np.flatnonzero((key[1:] == key[:-1]) & (length[1:] == length[:-1])) + 1
    first = np.arange(len(order))
    blob, ends = read.texts.blob, read.texts.ends
    seen: dict[bytes, int] = {}
    last = -1
    for place in again.tolist():
        # Equal keys prove nothing yet: the bytes decide.
        if place != last + 1:
            seen = {}
        for at in order[place - 1 : place + 1].tolist():
            first[at] = seen.setdefault(blob[ends[at] : ends[at + 1]].tobytes(), at)
        last = place
    distinct = np.flatnonzero(first == np.arange(len(first)))
    distinct = distinct[np.argsort(read.lengths[distinct], kind="stable")]
    place_of = np.zeros(len(first), np.int32)
    place_of[distinct] = np.arange(len(distinct), dtype=np.int32)
    return distinct, place_of[first]


def _sign(read: _Read, distinct: NDArray[np.int64], folder: Path, progress: bool, at_once: int) -> JoinInput:
    count = len(distinct)
    # Pairs of neighbours by length, spread over all lengths.
    picked = np.linspace(0, max(0, count - 2), FITTED).astype(np.int64)[:, None] + np.arange(min(2, count))
    buckets = fit_buckets([read.texts[at] for at in distinct[picked.ravel()].tolist()] or [""])
    blob, ends = read.texts.blob, read.texts.ends
    with (
        (folder / "blob").open("wb") as texts,
        (folder / "fine").open("wb") as fines,
        (folder / "coarse").open("wb") as coarses,
        bar(count, "count letters", "text", quiet=not progress, scale=True) as shown,
    ):
        for start in range(0, count, at_once):
            chosen = distinct[start : start + at_once]
            data = blob[_ragged(ends[chosen], ends[chosen + 1] - ends[chosen])]
            fine, coarse = count_packed(data.tobytes(), read.lengths[chosen], buckets)
            for file, array in ((texts, data), (fines, fine), (coarses, coarse)):
                file.write(array.data)
            shown.update(len(chosen))
    sorted_ends = np.zeros(count + 1, np.int64)
    np.cumsum(ends[distinct + 1] - ends[distinct], out=sorted_ends[1:])
    signatures = Signatures(
        np.arange(count),
        read.lengths[distinct].astype(np.int64),
        _mapped(folder / "coarse", np.uint8, -(-count // LANES), COARSE, LANES),
        _mapped(folder / "fine", np.uint16, count, FINE),
    )
    return JoinInput(Packed(_mapped(folder / "blob", np.uint8, int(sorted_ends[-1])), sorted_ends), signatures)


def _ragged(begin: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places ``begin[k] .. begin[k] + size[k]`` for all k, one after the other."""
    before = np.cumsum(size) - size
    places: NDArray[np.int64] = np.arange(int(size.sum())) + np.repeat(begin - before, size)
    return places


def _mapped(path: Path, kind: DTypeLike, *shape: int) -> NDArray[Any]:
    # An empty file cannot be mapped.
    return np.asarray(np.memmap(path, kind, "r", shape=shape)) if all(shape) else np.zeros(shape, kind)
