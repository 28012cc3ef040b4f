"""Which samples are near by meaning: a plain matrix product, exact. Knows neither files nor verdicts.

A graph index (hnswlib) was measured beside it and is not used: docs/experiments has the figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from curation.console import bar
from curation.dedup.wording import by_replies, compared, normal
from curation.errors import UsageError
from curation.meaning.vectors import Vectors
from curation.meaning.verdicts import GROUPS, Group
from curation.record import Sample

# Rows of one product: 1,024 × 100,000 cosines take 400 MB.
_ROWS = 1_024
_MOST_PAIRS = 1_000_000
# Sums of float32 differ in their last digits with the size of the product.
_DIGITS, _ROUNDING = 5, 1e-5


@dataclass(frozen=True, slots=True)
class Near:
    """Two samples, by number (``i < j``), with their ``cosine`` and the lowest ``fuzz.ratio`` of their turns."""

    i: int
    j: int
    cosine: float
    ratio: float


def meaning_text(sample: Sample, templates: Set[str]) -> str:
    """Return the text of a sample that the model reads, as written: the turns that ``dedup`` compares, one a line.

    Of a quote or a persona line that is what the character says, of a dialogue every turn but a prompt among
    ``templates`` (in normal form), which many rows share. A template said by the character counts.
    """
    if by_replies(sample):
        return "\n".join(sample.replies)
    turns = (m for m in sample.messages if m.role != "system")
    return "\n".join(m.content for m in turns if not (m.role == "user" and normal(m.content) in templates))


def group_of(sample: Sample) -> Group:
    """Return which samples one is compared with: those of the same group."""
    return "replies" if by_replies(sample) else "dialogues"


def near_pairs(
    samples: Sequence[Sample],
    vectors: Vectors,
    thresholds: Mapping[Group, float],
    templates: Set[str],
    *,
    quiet: bool = False,
) -> list[Near]:
    """Return all pairs within a group from its cosine on, the nearest first.

    Raises UsageError for a cosine out of range, or so low that more than a million pairs reach it.
    """
    for cosine in thresholds.values():
        if not 0.0 < cosine <= 1.0:
            raise UsageError(f"a cosine of {cosine:g} was given; expected more than 0 and at most 1, such as 0.96.")
    found: list[tuple[int, int, float]] = []
    for group in GROUPS:
        members = [at for at, sample in enumerate(samples) if group_of(sample) == group]
        texts = [meaning_text(samples[at], templates) for at in members]
        matrix = vectors.of(texts, quiet=quiet)
        found += [
            (members[i], members[j], score) for i, j, score in _pairs(matrix, thresholds[group], len(found), quiet)
        ]
    forms = [compared(sample, templates) for sample in samples]
    near = [Near(i, j, score, likeness(forms[i], forms[j])) for i, j, score in found]
    return sorted(near, key=lambda pair: (-pair.cosine, pair.i, pair.j))


def cosines(matrix: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the cosine of a vector with each row, rounded so that the order of sums does not show."""
    return _rounded(matrix @ vector)


def row_cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the cosine of each row with the row of the same number."""
    return _rounded(np.einsum("ij,ij->i", one, other))


def likeness(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """Return the lowest ``fuzz.ratio`` of the turns, the exact join's measure; 0 where their numbers differ."""
    if len(one) != len(other):
        return 0.0
    return min((fuzz.ratio(a, b) for a, b in zip(one, other, strict=True)), default=100.0)


def _rounded(cosine: NDArray[np.float32]) -> NDArray[np.float64]:
    rounded: NDArray[np.float64] = np.minimum(np.round(cosine.astype(np.float64), _DIGITS), 1.0)
    return rounded


def _pairs(matrix: NDArray[np.float32], cosine: float, before: int, quiet: bool) -> list[tuple[int, int, float]]:
    found: list[tuple[int, int, float]] = []
    with bar(len(matrix), "comparing", "text", quiet=quiet) as progress:
        for start in range(0, len(matrix), _ROWS):
            rows = matrix[start : start + _ROWS]
            # Each pair once: what lies before these rows has met them already.
            score = rows @ matrix[start:].T
            near = np.argwhere(np.triu(score >= cosine - _ROUNDING, 1))
            if before + len(found) + len(near) > _MOST_PAIRS:
                raise UsageError(
                    f"more than {_MOST_PAIRS:,} pairs lie above cosine {cosine:g}. Give a higher one with --threshold."
                )
            exact = _rounded(score[near[:, 0], near[:, 1]])
            found += [
                (start + int(i), start + int(j), s)
                for (i, j), s in zip(near, exact.tolist(), strict=True)
                if s >= cosine
            ]
            progress.update(len(rows))
    return found
