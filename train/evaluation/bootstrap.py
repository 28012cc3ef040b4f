"""Bootstrap confidence intervals (Efron & Tibshirani 1993; percentile method) of means, ratios and their differences.

Groups of rows are resampled (Davison & Hinkley 1997, section 3.8), since rows of one group resemble each other: the
split moved them to their side together. Two models are measured on the same rows, so a difference draws each group once
for both.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95

Interval = tuple[float | None, float | None]
Figure = dict[str, Any]
Groups = Sequence[Hashable] | None  # the group of each row; None where each row is one of its own


def mean(values: Sequence[float | None], groups: Groups = None) -> Figure:
    """Return ``value``, ``low``, ``high``, ``n`` and ``groups`` over the values that are not None."""
    rows = range(len(values)) if groups is None else groups
    present = [(v, g) for v, g in zip(values, rows, strict=True) if v is not None]
    return ratio([v for v, _ in present], [1.0] * len(present), [g for _, g in present])


def ratio(over: Sequence[float], under: Sequence[float], groups: Groups = None) -> Figure:
    """Return the same for ``sum(over) / sum(under)``, such as nll per character; one group has no interval."""
    if not over:
        return {"value": None, "low": None, "high": None, "n": 0, "groups": 0}
    rows = range(len(over)) if groups is None else groups
    sums: dict[Hashable, list[float]] = {}
    for a, b, group in zip(over, under, rows, strict=True):
        both = sums.setdefault(group, [0.0, 0.0])
        both[0] += a
        both[1] += b
    drawn = np.asarray(list(sums.values()), dtype=float)
    low, high = _interval(_ratio, drawn[:, 0], drawn[:, 1])
    return {"value": float(_ratio(*drawn.T)), "low": low, "high": high, "n": len(over), "groups": len(sums)}


def difference(ours: Sequence[float | None], theirs: Sequence[float | None], groups: Groups = None) -> Figure:
    """Return mean(ours) - mean(theirs) over the rows that have both values."""
    pairs = zip(ours, theirs, strict=True)
    return mean([None if a is None or b is None else a - b for a, b in pairs], groups)


def ratio_difference(
    ours: Sequence[float], theirs: Sequence[float], under: Sequence[float], groups: Groups = None
) -> Figure:
    """Return sum(ours)/sum(under) - sum(theirs)/sum(under)."""
    return ratio([a - b for a, b in zip(ours, theirs, strict=True)], under, groups)


def _ratio(over: Any, under: Any, axis: int = -1) -> Any:
    return over.sum(axis=axis) / under.sum(axis=axis)


def _interval(statistic: Any, *samples: Any) -> Interval:
    from scipy.stats import bootstrap

    if len(samples[0]) < 2:  # one group has no spread to resample
        return None, None
    found = bootstrap(
        samples,
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)
