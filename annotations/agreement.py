"""How far annotators who judged the same samples blind agree: Cohen's and Fleiss' kappa, Krippendorff's alpha.

Comes in: events with a panel of two or more. The figures are statsmodels' and krippendorff's; this file only lays the
verdicts out for them and says where one of them is undefined. Tests compare each with a published example.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from curation.review.decisions import Decision, standing

# What one annotator said of one sample, by annotator: the verdicts on one unit.
Unit = Mapping[str, str]

_LABELS = ("approve", "reject", "rewrite")


@dataclass(frozen=True, slots=True)
class Agreement:
    """The figures over some samples; None where one is undefined (too few verdicts, or everybody always the same).

    ``observed`` is the share of pairs of verdicts on one sample that are equal. ``cohen`` is the mean over all pairs of
    annotators, weighted by the samples that both judged. ``fleiss`` counts the samples with the most usual number of
    verdicts, as it needs equally many on each; ``krippendorff`` (nominal) counts all.
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
    names = {name for unit in units for name in unit}
    return Agreement(len(units), len(names), observed(units), cohen(units), fleiss(units), krippendorff(units))


def votes(events: Iterable[Decision]) -> list[dict[str, str]]:
    """Return, for each sample and revision that two or more people judged blind, everyone's last verdict."""
    by_sample: dict[str, list[Decision]] = defaultdict(list)
    for event in events:
        by_sample[event.sample_id].append(event)
    units: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for sample in sorted(by_sample):
        for event in standing(by_sample[sample]):
            if event.panel > 1 and event.verdict in _LABELS:
                units[sample, event.revision][event.annotator] = event.verdict
    return [unit for unit in units.values() if len(unit) > 1]


def observed(units: Sequence[Unit]) -> float | None:
    """Return the share of pairs of verdicts on one unit that are equal."""
    pairs = [one == other for unit in units for one, other in combinations(unit.values(), 2)]
    return sum(pairs) / len(pairs) if pairs else None


def cohen(units: Sequence[Unit]) -> float | None:
    """Return Cohen's kappa (1960), averaged over the pairs of annotators by how many units both judged."""
    import numpy as np
    from statsmodels.stats.inter_rater import cohens_kappa  # type: ignore[import-untyped]

    labels = sorted({label for unit in units for label in unit.values()})
    weighted = weight = 0.0
    for one, other in combinations(sorted({name for unit in units for name in unit}), 2):
        table = np.zeros((len(labels), len(labels)))
        for unit in units:
            if one in unit and other in unit:
                table[labels.index(unit[one]), labels.index(unit[other])] += 1
        # Chance alone explains everything when both always said the same one thing: undefined, 0 divided by 0.
        if table.sum() and np.count_nonzero(table.sum(0) + table.sum(1)) > 1:
            weighted += float(cohens_kappa(table, return_results=False)) * table.sum()
            weight += table.sum()
    return weighted / weight if weight else None


def fleiss(units: Sequence[Unit]) -> float | None:
    """Return Fleiss' kappa (1971) over the units that have the most usual number of verdicts."""
    import numpy as np
    from statsmodels.stats.inter_rater import fleiss_kappa

    sizes = [len(unit) for unit in units if len(unit) > 1]
    if not sizes:
        return None
    usual = max(sorted(set(sizes)), key=sizes.count)
    labels = sorted({label for unit in units for label in unit.values()})
    table = np.array([[list(u.values()).count(label) for label in labels] for u in units if len(u) == usual])
    if np.count_nonzero(table.sum(0)) < 2:
        return None
    return _number(fleiss_kappa(table, method="fleiss"))


def krippendorff(units: Sequence[Unit]) -> float | None:
    """Return Krippendorff's alpha for nominal data; units that somebody has not judged count too."""
    import krippendorff as library

    names = sorted({name for unit in units for name in unit})
    labels = sorted({label for unit in units for label in unit.values()})
    if len(labels) < 2:
        return None
    table = [[labels.index(unit[name]) if name in unit else math.nan for unit in units] for name in names]
    return _number(library.alpha(reliability_data=table, level_of_measurement="nominal"))


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
