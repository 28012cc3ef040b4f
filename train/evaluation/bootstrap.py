"""Bootstrap confidence intervals (Efron & Tibshirani 1993; percentile method) of means, ratios and their differences.

Rows are resampled, not tokens: the tokens of a dialogue are not independent. Base and adapter answer the same rows, so
a difference resamples rows once for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95

Interval = tuple[float | None, float | None]
Figure = dict[str, Any]


def mean(values: Sequence[float | None]) -> Figure:
    """Return ``value``, ``low``, ``high`` and ``n`` over the values that are not None."""
    present = [v for v in values if v is not None]
    return ratio(present, [1.0] * len(present))


def ratio(over: Sequence[float], under: Sequence[float]) -> Figure:
    """Return the same for ``sum(over) / sum(under)``, such as nll per character; one row has no interval."""
    if not over:
        return {"value": None, "low": None, "high": None, "n": 0}
    a, b = np.asarray(over, dtype=float), np.asarray(under, dtype=float)
    low, high = _interval(_ratio, a, b)
    return {"value": float(a.sum() / b.sum()), "low": low, "high": high, "n": len(a)}


def difference(ours: Sequence[float | None], theirs: Sequence[float | None]) -> Figure:
    """Return mean(ours) - mean(theirs) over the rows that have both values."""
    pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
    return mean([a - b for a, b in pairs])


def ratio_difference(ours: Sequence[float], theirs: Sequence[float], under: Sequence[float]) -> Figure:
    """Return sum(ours)/sum(under) - sum(theirs)/sum(under)."""
    return ratio([a - b for a, b in zip(ours, theirs, strict=True)], under)


def _ratio(over: Any, under: Any, axis: int = -1) -> Any:
    return over.sum(axis=axis) / under.sum(axis=axis)


def _interval(statistic: Any, *samples: Any) -> Interval:
    from scipy.stats import bootstrap

    if len(samples[0]) < 2:  # one row has no spread to resample
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
