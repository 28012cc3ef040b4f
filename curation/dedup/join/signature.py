"""Counts of character buckets, sorted by the length of their text: what the join compares instead of the texts.

Two texts that differ by few insertions and deletions have nearly the same characters, whatever their order. Counting
characters in a few buckets is therefore a necessary test, for any map of characters to buckets; a good map makes it
selective. This file knows texts and counts, not thresholds or pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from curation.dedup.join.layout import COARSE, FINE, LANES

CODE_POINTS = 0x110000
# What `sign` needs besides the texts: both counts, the order and its inverse, and half of that for temporary arrays.
BYTES_A_TEXT = 3 * (2 * FINE + COARSE + 24) // 2
_CHUNK = 50_000  # texts whose characters are held as numbers at a time
FITTED = 256  # pairs of texts that the map of buckets is fitted on
_LETTERS = 128  # frequent characters that are placed one by one


@dataclass(frozen=True, slots=True)
class Buckets:
    """A map of characters to buckets. table: uint8 (1114112,), character → fine; groups: uint8 (FINE,), → coarse."""

    table: NDArray[np.uint8]
    groups: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Signatures:
    """The counts of some texts, shortest text first.

    order: int64 (texts,), the text of each row; lengths: int64 (texts,), characters, ascending;
    coarse: uint8 (blocks, COARSE, LANES), the last block filled up with zeros; fine: uint16 (texts, FINE).
    """

    order: NDArray[np.int64]
    lengths: NDArray[np.int64]
    coarse: NDArray[np.uint8]
    fine: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.lengths)


def code_points(texts: Sequence[str]) -> NDArray[np.uint32]:
    """Return the characters of the texts, one after the other; lone surrogates count as characters."""
    return np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)


def fit_buckets(texts: Sequence[str]) -> Buckets:
    """Choose the buckets that separate these texts best. Any texts may be counted with the result.

    In buckets that are balanced by frequency alone, letters that replace each other can cancel. Here characters go,
    most variable first, to the bucket where they add most to the differences between texts of similar length.
    """
    by_length = sorted(texts, key=len)
    spread = np.linspace(0, max(0, len(by_length) - 2), FITTED).astype(np.int64)
    sample = [by_length[at + side] for at in spread for side in (0, 1)] if len(by_length) > 1 else by_length * 2
    codes = code_points(sample)
    letters, which, totals = np.unique(codes, return_inverse=True, return_counts=True)
    lengths = np.fromiter(map(len, sample), np.int64, len(sample))
    frequent = np.argsort(-totals, kind="stable")[:_LETTERS]
    place = np.full(len(letters), _LETTERS)
    place[frequent] = np.arange(len(frequent))
    cell = np.repeat(np.arange(len(sample)), lengths) * (_LETTERS + 1) + place[which]
    counts = np.bincount(cell, minlength=len(sample) * (_LETTERS + 1)).reshape(len(sample), -1)[:, :-1]
    difference = (counts[0::2] - counts[1::2]).astype(np.float32)

    fine_of, fine = _spread(difference, FINE)
    groups, _ = _spread(fine, COARSE)
    table = _hashed().copy()
    table[letters[frequent]] = fine_of[: len(frequent)]
    return Buckets(table, groups.astype(np.uint8))


@cache
def _hashed() -> NDArray[np.uint8]:
    """Return a bucket for every code point, for characters outside the sample: Knuth's multiplicative hash."""
    return (np.arange(CODE_POINTS, dtype=np.uint32) * np.uint32(2654435761) >> np.uint32(26)).astype(np.uint8)


def _spread(columns: NDArray[np.float32], buckets: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Add columns up into buckets so that the sum of absolute values stays large. Returns (bucket of each, sums)."""
    chosen = np.zeros(columns.shape[1], np.int64)
    sums = np.zeros((buckets, columns.shape[0]), np.float32)
    height = np.zeros(buckets, np.float32)
    for rank, column in enumerate(np.argsort(-np.abs(columns).sum(0), kind="stable")):
        bucket = rank if rank < buckets else int(np.argmax(np.abs(sums + columns[:, column]).sum(1) - height))
        chosen[column] = bucket
        sums[bucket] += columns[:, column]
        height[bucket] = np.abs(sums[bucket]).sum()
    return chosen, np.ascontiguousarray(sums.T)


def sign(texts: Sequence[str], buckets: Buckets) -> Signatures:
    """Count the buckets of every text. This takes ``BYTES_A_TEXT`` of memory per text, besides the texts."""
    from curation.dedup.join import kernels

    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    order = np.argsort(lengths, kind="stable")
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    fine = np.zeros((len(texts), FINE), np.uint16)
    for start, chunk in _chunks(texts):
        ends = np.cumsum(lengths[start : start + len(chunk)])
        starts = np.concatenate((np.zeros(1, np.int64), ends))
        rows = places[start : start + len(chunk)]
        kernels.count_buckets(code_points(chunk), starts, buckets.table, rows, fine)
    coarse = np.zeros((-(-len(texts) // LANES), COARSE, LANES), np.uint8)
    kernels.pack_coarse(fine, buckets.groups, coarse)
    return Signatures(order, lengths[order], coarse, fine)


def count_packed(
    texts: bytes, lengths: NDArray[np.int32], buckets: Buckets
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Return the counts (fine, coarse) of texts in UTF-8, one after the other, of ``lengths`` characters."""
    from curation.dedup.join import kernels

    codes = np.frombuffer(texts.decode("utf-8", "surrogatepass").encode("utf-32-le", "surrogatepass"), np.uint32)
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    fine = np.zeros((len(lengths), FINE), np.uint16)
    kernels.count_buckets(codes, starts, buckets.table, np.arange(len(lengths)), fine)
    coarse = np.zeros((-(-len(lengths) // LANES), COARSE, LANES), np.uint8)
    kernels.pack_coarse(fine, buckets.groups, coarse)
    return fine, coarse


def _chunks(texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    for start in range(0, len(texts), _CHUNK):
        yield start, texts[start : start + _CHUNK]
