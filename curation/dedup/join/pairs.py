"""Pairs of text numbers, and what is made of them: a sorted table, and components."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from curation.dedup.join.free_memory import check_memory

PairTable: TypeAlias = "np.recarray[Any, np.dtype[Any]]"
PAIR = np.dtype([("i", np.int64), ("j", np.int64), ("score", np.float64)])


class Pairs(NamedTuple):
    """Three arrays of equal length: the numbers of two texts (int64) and their score (float64)."""

    i: NDArray[np.int64]
    j: NDArray[np.int64]
    score: NDArray[np.float64]

    @classmethod
    def concatenate(cls, pieces: Iterable[Pairs]) -> Pairs:
        """Join pieces; without pieces the result is empty."""
        none = cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))
        return cls(*(np.concatenate(columns) for columns in zip(none, *pieces, strict=True)))

    def sorted_table(self) -> PairTable:
        """Return the pairs as a record array (i, j, score), sorted by i, then j."""
        order = np.lexsort((self.j, self.i))
        table = np.empty(len(order), PAIR)
        table["i"], table["j"], table["score"] = self.i[order], self.j[order], self.score[order]
        return table.view(np.recarray)


def expand(near: Pairs, number: NDArray[np.int64]) -> PairTable:
    """Turn pairs of distinct texts into pairs ``i < j`` of positions, equal texts among them at score 100.

    near: pairs of distinct texts, each once; number: for each position, the distinct text at it.
    Raises InosukeError when the pairs would not fit into memory.
    """
    size = np.bincount(number)  # how often each distinct text occurs
    again = np.flatnonzero(size > 1)
    equal = Pairs(again, again, np.full(len(again), 100.0))
    count = int((size[near.i] * size[near.j]).sum() + (size[again] ** 2).sum())
    # Three columns of eight bytes, and the same again for numbering, for sorting and for the table.
    check_memory(
        4 * count * PAIR.itemsize,
        f"{count:,} pairs",
        "Cluster the texts, which needs no pairs, or write them to a file: `inosuke dedup FILE --pairs PAIRS.parquet`.",
    )
    return Pairs.concatenate(positions_of(Pairs.concatenate((near, equal)), number, max(1, 4 * count))).sorted_table()


def positions_of(near: Pairs, number: NDArray[np.int64] | NDArray[np.int32], most: int) -> Iterator[Pairs]:
    """Yield pairs of distinct texts as pairs ``i < j`` of positions, at most ``most`` at a time, in any order.

    near: pairs of numbers, each once, a number paired with itself included where its texts occur several times;
    number: for each position, the distinct text at it.
    """
    size = np.bincount(number)
    positions = np.argsort(number, kind="stable")
    begin = np.cumsum(size) - size
    # Pair p represents size[i] * size[j] pairs; `cell` counts through them.
    ends = np.cumsum(size[near.i] * size[near.j])
    for start in range(0, int(ends[-1]) if len(ends) else 0, most):
        at = np.arange(start, min(start + most, int(ends[-1])))
        pair = np.searchsorted(ends, at, "right")
        left, right = near.i[pair], near.j[pair]
        cell = at - (ends[pair] - size[left] * size[right])
        i = positions[begin[left] + cell // size[right]]
        j = positions[begin[right] + cell % size[right]]
        once = (left != right) | (i < j)
        yield Pairs(np.minimum(i, j)[once], np.maximum(i, j)[once], near.score[pair[once]])


def merge_labels(labels: NDArray[np.int64], i: NDArray[np.int64], j: NDArray[np.int64]) -> None:
    """Merge the components of i[k] and j[k] for all k, in place. ``labels[x]`` is the lowest member of x's component.

    Vectorised hooking and pointer jumping (Shiloach and Vishkin 1982): a few rounds for any input.
    """
    while True:
        a, b = labels[i], labels[j]
        apart = a != b
        if not apart.any():
            return
        i, j = i[apart], j[apart]
        a, b = a[apart], b[apart]
        np.minimum.at(labels, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(labels[labels], labels):
            labels[:] = labels[labels]
