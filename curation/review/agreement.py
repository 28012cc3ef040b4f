"""Agreement between annotators who judged the same samples blind: Cohen's and Fleiss' kappa, Krippendorff's alpha.

The only calculation of agreement: the review desk's dashboard and the dataset card both use it. In: events of the
review log. Out: figures. Only blind verdicts count, those of a panel of two or more (``Decision.panel``): annotators
who saw each other's verdicts do not agree independently. The kappas come from ``statsmodels`` and alpha from
``krippendorff``; this module prepares their tables and finds the cases where a figure is undefined. Tests compare each
figure with a published example.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from curation.review.decisions import DECISIVE, Decision, standing

# The verdicts on one unit (a sample at one revision), by annotator.
Unit = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The agreement over some samples. A figure is None where it is undefined.

    That is the case with too few verdicts, or when all annotators always gave the same verdict. ``observed`` is the
    share of equal pairs among all pairs of verdicts on one sample. ``cohen`` is the mean over all pairs of annotators,
    weighted by the number of samples that both judged. ``fleiss`` needs equally many verdicts on each sample, so it
    uses the samples with the most frequent number of verdicts. ``krippendorff`` (nominal) uses all samples.
    """

    samples: int = 0
    annotators: int = 0
    observed: float | None = None
    cohen: float | None = None
    fleiss: float | None = None
    krippendorff: float | None = None


def agreement(events: Iterable[Decision]) -> Agreement:
    """Return the agreement of the blind verdicts among the events."""
    units = votes(events)
    if not units:
        return Agreement()
    return Agreement(
        samples=len(units),
        annotators=len({name for unit in units for name in unit}),
        observed=observed(units),
        cohen=cohen(units),
        fleiss=fleiss(units),
        krippendorff=krippendorff(units),
    )


def votes(events: Iterable[Decision]) -> list[dict[str, str]]:
    """Return the last verdict of each annotator, by unit, for units that two or more annotators judged blind."""
    by_sample: dict[str, list[Decision]] = defaultdict(list)
    for event in events:
        by_sample[event.sample_id].append(event)
    units: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for sample in sorted(by_sample):
        for event in standing(by_sample[sample]):
            if event.panel > 1 and event.verdict in DECISIVE:
                units[sample, event.revision][event.annotator] = event.verdict
    return [unit for unit in units.values() if len(unit) > 1]


def observed(units: Sequence[Unit]) -> float | None:
    """Return the share of equal pairs among all pairs of verdicts on one unit, 0 to 1."""
    pairs = [one == other for unit in units for one, other in combinations(unit.values(), 2)]
    return sum(pairs) / len(pairs) if pairs else None


def cohen(units: Sequence[Unit]) -> float | None:
    """Return Cohen's kappa (1960), averaged over the pairs of annotators, weighted by the units that both judged."""
    import numpy as np
    from statsmodels.stats.inter_rater import cohens_kappa  # type: ignore[import-untyped]

    labels = sorted({label for unit in units for label in unit.values()})
    weighted = weight = 0.0
    for one, other in combinations(sorted({name for unit in units for name in unit}), 2):
        table = np.zeros((len(labels), len(labels)))
        for unit in units:
            if one in unit and other in unit:
                table[labels.index(unit[one]), labels.index(unit[other])] += 1
        # If both always gave the same verdict, chance agreement is 1 and kappa is 0 divided by 0: undefined.
        if table.sum() and np.count_nonzero(table.sum(0) + table.sum(1)) > 1:
            weighted += float(cohens_kappa(table, return_results=False)) * table.sum()
            weight += table.sum()
    return weighted / weight if weight else None


def fleiss(units: Sequence[Unit]) -> float | None:
    """Return Fleiss' kappa (1971) over the units that have the most frequent number of verdicts."""
    import numpy as np
    from statsmodels.stats.inter_rater import fleiss_kappa

    sizes = [len(unit) for unit in units if len(unit) > 1]
    if not sizes:
        return None
    most_frequent = max(sorted(set(sizes)), key=sizes.count)
    labels = sorted({label for unit in units for label in unit.values()})
    table = np.array([[list(u.values()).count(label) for label in labels] for u in units if len(u) == most_frequent])
    if np.count_nonzero(table.sum(0)) < 2:
        return None
    return _defined(fleiss_kappa(table, method="fleiss"))


def krippendorff(units: Sequence[Unit]) -> float | None:
    """Return Krippendorff's alpha for nominal data. Units that not every annotator judged count too."""
    import krippendorff as library

    names = sorted({name for unit in units for name in unit})
    labels = sorted({label for unit in units for label in unit.values()})
    if len(labels) < 2:
        return None
    table = [[labels.index(unit[name]) if name in unit else math.nan for unit in units] for name in names]
    return _defined(library.alpha(reliability_data=table, level_of_measurement="nominal"))


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
