"""Every pair of texts with ``fuzz.ratio`` at or above a threshold: exactly those that brute force finds.

``fuzz.ratio(a, b) = 200 * LCS / (La + Lb)``, so a pair at a threshold t differs by at most
``(100 - t)/100 * (La + Lb)`` insertions and deletions. That bounds the difference of the lengths, and of the counts of
every bucket of characters (:mod:`curation.dedup.join.signature`). Compiled code compares the counts of all pairs whose
lengths fit (:mod:`curation.dedup.join.kernels`); rapidfuzz scores the pairs that are left, so a score is always
rapidfuzz's own.

The result is exact: both tests are necessary conditions, with slack for rounding, and
``fuzz.ratio(a, b, score_cutoff=t) > 0`` decides. (At some thresholds, for example 68 and 93, that differs from
``fuzz.ratio(a, b) >= t`` for pairs exactly at the threshold.)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from curation.dedup.join.free_memory import check_memory
from curation.dedup.join.pairs import Pairs, PairTable, expand, merge_labels
from curation.dedup.join.ties import lowered, settle
from curation.errors import InosukeError, UsageError

if TYPE_CHECKING:
    from curation.dedup.join.executors import Executor

# A matrix of all scores is preferred up to this many seconds: importing numba and loading its cached code takes longer.
# Once numba is loaded, the compiled join pays off much earlier.
_MATRIX_SECONDS = 0.3
_MATRIX_SECONDS_WITH_NUMBA = 0.01
_MATRIX_ROWS = 256
_ON_DISK = "Write the pairs to a file, which needs less: `inosuke dedup FILE --pairs PAIRS.parquet`."


def similar_pairs(texts: Sequence[str], threshold: float = 90.0, executor: Executor | None = None) -> PairTable:
    """Return every pair ``i < j`` that ``rapidfuzz.fuzz.ratio(a, b, score_cutoff=threshold) > 0`` accepts.

    The result is a record array with the fields i, j (int64, positions in ``texts``) and score (float64, 0 to 100),
    sorted by (i, j). ``executor`` runs the work; by default this machine's cores do.

    Raises InosukeError for an item that is not a str and when memory is too small, UsageError for a threshold outside
    50 to 100.
    """
    check_threshold(threshold)
    distinct, number = number_texts(texts)
    return expand(Pairs.concatenate(near_pairs(distinct, threshold, executor)), number)


def components(texts: Sequence[str], threshold: float, executor: Executor | None = None) -> NDArray[np.int64]:
    """Return, for each text, the first text of its component: what near pairs connect, directly or in a chain.

    Not all pairs are needed: thousands of variants of one line have millions of pairs and are one component.
    Raises as :func:`similar_pairs`.
    """
    check_threshold(threshold)
    distinct, number = number_texts(texts)
    labels = np.arange(len(distinct))
    for pairs in near_pairs(distinct, threshold, executor, components_only=True):
        merge_labels(labels, pairs.i, pairs.j)
    first = np.full(len(distinct), len(number))
    np.minimum.at(first, labels[number], np.arange(len(number)))
    result: NDArray[np.int64] = first[labels[number]]
    return result


def near_pairs(
    texts: Sequence[str], threshold: float, executor: Executor | None = None, components_only: bool = False
) -> Iterator[Pairs]:
    """Yield the near pairs of distinct texts in pieces, each pair once. For options see :meth:`Executor.run`."""
    if _matrix_is_quicker(len(texts) ** 2 // 2, _characters(texts) ** 2 // 2):
        yield from _matrix_triangle(texts, threshold)
    else:
        yield from compiled_pairs(texts, threshold, executor, components_only)


def cross_pairs(left: Sequence[str], right: Sequence[str], threshold: float, executor: Executor | None = None) -> Pairs:
    """Return every near pair (position in left, position in right), equal texts included, in any order.

    Raises as :func:`similar_pairs`.
    """
    check_threshold(threshold)
    check_texts(left)
    check_texts(right)
    if not (len(left) and len(right)):
        return Pairs.concatenate(())
    if _matrix_is_quicker(len(left) * len(right), _characters(left) * _characters(right)):
        pieces = _matrix_blocks(left, right, threshold)
    else:
        from curation.dedup.join.executors import Local
        from curation.dedup.join.signature import fit_buckets, sign
        from curation.dedup.join.tiles import JoinInput

        buckets = fit_buckets(right)
        rows, columns = JoinInput(left, sign(left, buckets)), JoinInput(right, sign(right, buckets))
        pieces = (executor or Local()).run(rows, columns, threshold)
    return Pairs.concatenate(pieces)


def compiled_pairs(
    texts: Sequence[str], threshold: float, executor: Executor | None = None, components_only: bool = False
) -> Iterator[Pairs]:
    """Yield the near pairs of distinct texts by comparing signatures: correct at any size, fast at large ones."""
    from curation.dedup.join.executors import Local
    from curation.dedup.join.signature import BYTES_A_TEXT, fit_buckets, sign
    from curation.dedup.join.tiles import JoinInput

    check_memory(len(texts) * BYTES_A_TEXT, f"the signatures of {len(texts):,} texts", _ON_DISK)
    side = JoinInput(texts, sign(texts, fit_buckets(texts)))
    yield from (executor or Local()).run(side, side, threshold, components_only)


def _matrix_is_quicker(pairs: int, characters: int) -> bool:
    """Return an estimate: 40 ns a pair, and 10 ps for each character of one text times each of the other."""
    loaded = "curation.dedup.join.kernels" in sys.modules
    return pairs * 40e-9 + characters * 10e-12 <= (_MATRIX_SECONDS_WITH_NUMBA if loaded else _MATRIX_SECONDS)


def _characters(texts: Sequence[str]) -> int:
    return sum(map(len, texts))


def _matrix_blocks(left: Sequence[str], right: Sequence[str], threshold: float) -> Iterator[Pairs]:
    for start in range(0, len(left), _MATRIX_ROWS):
        rows = left[start : start + _MATRIX_ROWS]
        matrix = process.cdist(rows, right, scorer=fuzz.ratio, score_cutoff=lowered(threshold), dtype=np.float64)
        i, j = np.nonzero(matrix)
        score = matrix[i, j]
        settle(score, threshold, partial(_pair, rows, right, i, j))
        near = score > 0
        yield Pairs(i[near] + start, j[near], score[near])


def _pair(
    left: Sequence[str], right: Sequence[str], i: NDArray[np.int64], j: NDArray[np.int64], k: int
) -> tuple[str, str]:
    return left[i[k]], right[j[k]]


def _matrix_triangle(texts: Sequence[str], threshold: float) -> Iterator[Pairs]:
    for start in range(0, len(texts), _MATRIX_ROWS):
        for i, j, score in _matrix_blocks(texts[start : start + _MATRIX_ROWS], texts[start:], threshold):
            once = i < j
            yield Pairs(i[once] + start, j[once] + start, score[once])


def check_texts(texts: Sequence[str], before: int = 0) -> None:
    """Raise InosukeError for anything that is not a str: None, a number, NaN. ``before``: texts checked earlier."""
    if isinstance(texts, str):
        raise InosukeError(f"one text ({texts[:40]!r}); expected several. Put it into a list.")
    for at, text in enumerate(texts, before):
        if not isinstance(text, str):
            raise InosukeError(
                f"text {at} is {text!r} ({type(text).__name__}); expected a str. "
                "Leave such rows out, or convert them, before comparing."
            )


def number_texts(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct texts in order of appearance, and for each text its number among them."""
    check_texts(texts)
    numbers: dict[str, int] = {}
    number = np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), np.int64, len(texts))
    return list(numbers), number


def check_threshold(threshold: float) -> None:
    """Raise UsageError unless 50 <= threshold <= 100."""
    if not 50 <= threshold <= 100:
        raise UsageError(
            f"the threshold is {threshold}; expected a fuzz.ratio from 50 to 100. "
            "90 is a good start: about one changed word in a line of ten."
        )
