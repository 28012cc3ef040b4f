"""The last word on pairs that score a hair from the threshold.

rapidfuzz's `cdist` and `cpdist` compare with the cutoff as a 32-bit float (seen in 3.14.6): at 50.00000000000001 they
accept 50.0, and at 75.67567567567569 a score of 75.67567567567568, both of which `fuzz.ratio(a, b, score_cutoff=t)`
refuses. So they are asked with a lower cutoff, and what is close to the threshold is asked again, pair by pair.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

# A 32-bit float between 50 and 100 is right to 4e-6.
_CLOSE = 1e-4


def below(threshold: float) -> float:
    """Return the cutoff to give to `cdist` and `cpdist` so that rounding loses no pair."""
    return threshold - _CLOSE


def settle(score: NDArray[np.float64], threshold: float, texts: Callable[[int], tuple[str, str]]) -> None:
    """Replace, in place, each score close to the threshold by what ``fuzz.ratio`` says; 0 where it refuses.

    score: float64 (pairs,), from `cdist` or `cpdist` with the cutoff :func:`below`; ``texts(k)`` gives the pair k.
    """
    for k in np.flatnonzero((score > 0) & (score < threshold + _CLOSE)).tolist():
        score[k] = fuzz.ratio(*texts(k), score_cutoff=threshold)
