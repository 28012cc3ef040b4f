"""From which cosine on two texts are shown as neighbours: the stated default, or what annotators' verdicts say. Pure.

An isotonic regression gives, for each cosine, the share of pairs that mean the same, and never falls with the cosine.
The threshold is the lowest judged cosine at which that share is at least one half: from there on a pair is more likely
the same than not.

Pairs that share a text are not independent: one line that the model places badly makes all of its pairs wrong. So the
interval counts groups, pairs connected by shared texts, as if all pairs of a group had one answer between them: Clopper
and Pearson's interval for the effective number of pairs (Korn and Graubard 1998, with Kish's effective size). It does
not know how pairs were chosen: annotators judge those that the desk shows them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from curation.meaning.verdicts import GROUPS, Group, JudgedPair

# docs/experiments/2026-11-29-neighbours-by-meaning.md shows what lies above them. Two dialogues about one person share
# most of their words' meaning, so only a higher cosine means anything.
DEFAULT_COSINE: dict[Group, float] = {"replies": 0.96, "dialogues": 0.985}
# Fewer pairs, or one answer alone, place no threshold.
LEAST_PAIRS = 30
LEAST_OF_EACH = 5


@dataclass(frozen=True, slots=True)
class Calibration:
    """The threshold, where it is from, and what annotators said of the pairs from there on.

    ``judged`` pairs of the ``group`` in all; ``above`` of them reach the threshold, in ``independent`` sets that share
    no text, and ``same`` of these mean the same: a share with its 95% interval ``low`` to ``high`` (0 to 1, None where
    nothing was judged).
    """

    group: Group
    threshold: float
    source: Literal["default", "verdicts", "given"]
    judged: int
    above: int
    same: int
    independent: int
    share: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    def words(self) -> list[str]:
        """Return what a person should know of the threshold, a sentence each."""
        said = []
        if self.source == "default":
            said.append(
                f"{self.threshold:g} is the default for {self.group}: a threshold of your own needs {LEAST_PAIRS} "
                f"judged pairs with at least {LEAST_OF_EACH} of each answer, and {self.judged} are judged"
            )
        elif self.source == "verdicts":
            said.append(f"{self.threshold:g} follows from {self.judged} judged pairs of {self.group}")
        if self.share is not None and self.low is not None and self.high is not None:
            said.append(
                f"from {self.threshold:g} on, {self.share:.0%} [{self.low * 100:.0f}, {self.high * 100:.0f}] of "
                f"{self.above} judged pairs were the same ({self.independent} independent groups; 95% interval)"
            )
        return said


def calibrate_each(
    pairs: Sequence[JudgedPair], cosine: NDArray[np.float64], given: float | None = None
) -> dict[Group, Calibration]:
    """Return the threshold of each group; see :func:`calibrate`."""
    found = {}
    for group in GROUPS:
        own = [at for at, pair in enumerate(pairs) if pair.group == group]
        found[group] = calibrate([pairs[at] for at in own], cosine[np.array(own, np.int64)], given, group)
    return found


def calibrate(
    pairs: Sequence[JudgedPair], cosine: NDArray[np.float64], given: float | None = None, group: Group = "replies"
) -> Calibration:
    """Return the threshold that the judged ``pairs`` of a group give, whose cosines are in the same order.

    With a ``given`` threshold, or too few pairs for one, only the share from there on is computed.
    """
    same = np.array([pair.same for pair in pairs], bool)
    both = len(pairs) >= LEAST_PAIRS and min(int(same.sum()), int((~same).sum())) >= LEAST_OF_EACH
    own = _threshold(cosine, same) if both and given is None else None
    if given is not None:
        threshold, source = given, "given"
    elif own is not None:
        threshold, source = own, "verdicts"
    else:
        threshold, source = DEFAULT_COSINE[group], "default"
    above = np.flatnonzero(cosine >= threshold)
    sizes = _groups([pairs[at] for at in above])
    n, k = len(above), int(same[above].sum())
    low, high = _interval(k, n, sizes) if n else (None, None)
    return Calibration(
        group=group,
        threshold=threshold,
        source=source,  # type: ignore[arg-type]
        judged=len(pairs),
        above=n,
        same=k,
        independent=len(sizes),
        share=k / n if n else None,
        low=low,
        high=high,
    )


def _threshold(cosine: NDArray[np.float64], same: NDArray[np.bool_]) -> float | None:
    """Return the lowest judged cosine at which one half or more are the same; None where there is none."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit(cosine, same.astype(np.float64)).predict(cosine)
    reached = cosine[fitted >= 0.5]
    return float(reached.min()) if len(reached) else None


def _groups(pairs: Sequence[JudgedPair]) -> list[int]:
    """Return how many pairs each group has: pairs that share a text, or are connected by such, are one group."""
    leader: dict[str, str] = {}

    def find(text: str) -> str:
        while leader.setdefault(text, text) != text:
            leader[text] = text = leader[leader[text]]
        return text

    for pair in pairs:
        leader[find(pair.a)] = find(pair.b)
    return sorted(Counter(find(pair.a) for pair in pairs).values())


def _interval(k: int, n: int, sizes: Sequence[int]) -> tuple[float, float]:
    from scipy.stats import beta

    effective = n**2 / sum(size**2 for size in sizes)
    hits = k / n * effective
    low = float(beta.ppf(0.025, hits, effective - hits + 1)) if k else 0.0
    high = float(beta.ppf(0.975, hits + 1, effective - hits)) if k < n else 1.0
    return low, high
