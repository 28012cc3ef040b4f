"""One join as independent tasks: a band of rows, all of about one length, against the columns whose lengths fit.

A task needs only the signatures and texts of both inputs, so tasks run on threads, in other processes or on other
machines (:mod:`curation.dedup.join.executors`), from memory or from mapped files (:mod:`curation.dedup.join.index`,
:mod:`curation.dedup.join.sorted_texts`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from curation.dedup.join.layout import LANES
from curation.dedup.join.pairs import Pairs, merge_labels
from curation.dedup.join.signature import Signatures
from curation.dedup.join.ties import lowered, settle

_MOST_ROWS = 2048  # rows of a task
_CANDIDATES = 1 << 15  # pairs that rapidfuzz gets at once
_SLACK = 1e-6  # insertions and deletions more than allowed, so that rounding loses no pair


class Texts(Protocol):
    """Texts by number: a list, or :class:`curation.dedup.join.packed.Packed`."""

    def __getitem__(self, at: int, /) -> str: ...


@dataclass(frozen=True, slots=True)
class JoinInput:
    """The left or the right input of a join: texts with their signatures."""

    texts: Texts
    signatures: Signatures


class Tile(NamedTuple):
    """Left rows ``start .. end`` (excluded), which meet all right rows whose lengths fit."""

    start: int
    end: int


def plan(left: Signatures, most_rows: int | None = None) -> list[Tile]:
    """Cut a join into tiles of at most ``most_rows`` left rows: by default as many as keep all cores busy."""
    rows = most_rows or max(LANES, min(_MOST_ROWS, len(left) // 16))
    return [Tile(start, min(start + rows, len(left))) for start in range(0, len(left), rows)]


def _blocks(
    left: Signatures, right: Signatures, threshold: float, tile: Tile
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each row of a tile, the first block it meets and the one after the last.

    A signature against itself meets each pair once.
    """
    differ = 1 - threshold / 100
    length = left.lengths[tile.start : tile.end]
    # |Li - Lj| <= differ * (Li + Lj), solved for the shortest and the longest Lj.
    shortest = np.ceil((length * (1 - differ) - _SLACK) / (1 + differ) - _SLACK)
    longest = np.floor((length * (1 + differ) + _SLACK) / (1 - differ) + _SLACK)
    first = np.searchsorted(right.lengths, shortest, "left") // LANES
    last = -(-np.searchsorted(right.lengths, longest, "right") // LANES)
    if left is right:
        first = np.arange(tile.start, tile.end) // LANES
    return first, last


def run_tile(left: JoinInput, right: JoinInput, threshold: float, tile: Tile, components_only: bool) -> Pairs:
    """Return the near pairs of a tile, as numbers of texts (left, right).

    With ``components_only`` the result has the same components as the near pairs but fewer pairs, and its scores are
    not set: pairs inside a known component are not scored.
    """
    pieces = []
    labels = np.arange(len(left.signatures)) if components_only and left is right else None
    for rows, columns in _candidates(left.signatures, right.signatures, threshold, tile):
        i, j = left.signatures.order[rows], right.signatures.order[columns]
        if labels is not None:
            apart = labels[i] != labels[j]
            i, j = i[apart], j[apart]
        pairs = [(left.texts[a], right.texts[b]) for a, b in zip(i.tolist(), j.tolist(), strict=True)]
        score = process.cpdist(
            [a for a, _ in pairs],
            [b for _, b in pairs],
            scorer=fuzz.ratio,
            score_cutoff=lowered(threshold),
            dtype=np.float64,
        )
        settle(score, threshold, pairs.__getitem__)
        near = score > 0
        if labels is not None:
            merge_labels(labels, i[near], j[near])
        else:
            pieces.append(Pairs(i[near], j[near], score[near]))
    if labels is not None:
        member = np.flatnonzero(labels != np.arange(len(labels)))
        pieces.append(Pairs(labels[member], member, np.zeros(len(member))))
    return Pairs.concatenate(pieces)


def _candidates(
    left: Signatures, right: Signatures, threshold: float, tile: Tile
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Yield the rows and columns that pass both counting tests, in pieces of bounded size."""
    from curation.dedup.join import kernels

    found = np.empty((_CANDIDATES, 2), np.int32)
    first, last = _blocks(left, right, threshold, tile)
    resume = 0
    while resume >= 0:
        n, resume = kernels.candidates(
            (left.lengths, left.coarse, left.fine),
            (right.lengths, right.coarse, right.fine),
            (first, last, tile.start),
            1 - threshold / 100,
            left is right,
            resume,
            found,
        )
        if n:
            yield found[:n, 0], found[:n, 1]
