"""Exact decisions on pairs whose score is very close to the threshold.

rapidfuzz's `cdist` and `cpdist` compare with the cutoff as a 32-bit float (seen in 3.14.6): at 50.00000000000001 they
accept 50.0, and at 75.67567567567569 a score of 75.67567567567568; `fuzz.ratio(a, b, score_cutoff=t)` refuses both. So
they get a lower cutoff, and scores close to the threshold are computed again, pair by pair.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

# A 32-bit float between 50 and 100 is accurate to 4e-6.
_CLOSE = 1e-4


def lowered(threshold: float) -> float:
    """Return the cutoff for `cdist` and `cpdist` at which rounding loses no pair."""
    return threshold - _CLOSE


def settle(score: NDArray[np.float64], threshold: float, texts: Callable[[int], tuple[str, str]]) -> None:
    """Replace, in place, each score close to the threshold by that of ``fuzz.ratio``, which is 0 below the threshold.

    score: float64 (pairs,), from `cdist` or `cpdist` with the cutoff :func:`lowered`; ``texts(k)`` gives the pair k.
    """
    for k in np.flatnonzero((score > 0) & (score < threshold + _CLOSE)).tolist():
        score[k] = fuzz.ratio(*texts(k), score_cutoff=threshold)
