"""Near texts become clusters: one text that is kept, and those near to it. Knows texts and ranks, not samples.

Nearness is not transitive: in a chain A ~ B ~ C, A and C may be too far apart. So a component of the near graph is cut
into stars, whose members are all near the kept text; each cut records the pair that it separates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from curation.dedup.join.executors import Executor
from curation.dedup.join.similar import components
from curation.dedup.join.ties import lowered


@dataclass(frozen=True, slots=True)
class Star:
    """A kept text and its members, by number. ``members`` are (text, score against ``kept``), best rank first.

    ``cut_from`` is the nearest (text, score) of another star, where a chain was cut between them; a star may have
    no members besides.
    """

    kept: int
    members: tuple[tuple[int, float], ...]
    cut_from: tuple[int, float] | None


def stars(
    texts: Sequence[tuple[str, ...]], threshold: float, rank: Sequence[int], executor: Executor | None = None
) -> list[Star]:
    """Group texts, each given as its parts (turns), by nearness: ``len(a) == len(b)`` and every part near its partner.

    The score of a pair is the lowest ``fuzz.ratio`` of its parts. Greedy by ``rank`` (lower is better, all different):
    the best text that is not in a star yet is kept, and the free texts near it become its members. A text without a
    near one is left out. The stars are sorted by the rank of their kept text.

    The pairs are never all in memory: components come first, then each kept text is compared with its own component.
    """
    # Parts that are near one by one are near when joined, so components of the joined texts miss nothing.
    joined = ["\n".join(parts) for parts in texts]
    labels = components(joined, threshold, executor)
    order = np.lexsort((np.asarray(rank, np.int64), labels))
    found: list[Star] = []
    for component in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if len(component) > 1:
            found += _cut(component, texts, joined, threshold)
    return sorted(found, key=lambda star: rank[star.kept])


def _cut(
    component: NDArray[np.int64], texts: Sequence[tuple[str, ...]], joined: Sequence[str], threshold: float
) -> list[Star]:
    choices = [joined[at] for at in component]
    free = np.ones(len(component), bool)
    found = []
    for at, kept in enumerate(component.tolist()):
        if not free[at]:
            continue
        free[at] = False
        score = process.cdist(
            [choices[at]], choices, scorer=fuzz.ratio, score_cutoff=lowered(threshold), dtype=np.float64
        )[0]
        score[at] = 0
        for other in np.flatnonzero(score):
            score[other] = _weakest(texts[kept], texts[component[other]], threshold)
        joins = np.flatnonzero((score > 0) & free)
        free[joins] = False
        taken = np.where(np.isin(np.arange(len(score)), joins), 0, score)
        nearest = int(np.argmax(taken))
        cut_from = (int(component[nearest]), float(taken[nearest])) if taken[nearest] > 0 else None
        if len(joins) or cut_from:
            members = tuple((int(component[k]), float(score[k])) for k in joins)
            found.append(Star(kept, members, cut_from))
    return found


def _weakest(a: tuple[str, ...], b: tuple[str, ...], threshold: float) -> float:
    """Return the lowest score of the parts, or 0 unless all are near."""
    if len(a) != len(b):
        return 0.0
    return min((fuzz.ratio(x, y, score_cutoff=threshold) for x, y in zip(a, b, strict=True)), default=100.0)
