"""Near texts become clusters: one text that is kept, and those near to it. Knows numbers and ranks, not samples.

Nearness is not transitive: in a chain A ~ B ~ C, A and C may be too far apart. So a component of the near graph is cut
into stars, whose members are all near the kept text; each cut records the pair that it separates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from curation.dedup.join.executors import Executor
from curation.dedup.join.pairs import merge_labels
from curation.dedup.join.similar import components
from curation.dedup.join.ties import lowered

# How two texts are near; curation/dedup/relations.py has what each means.
By = Literal["ratio", "spelling", "order", "contains", "reply", "begins"]


class Near(NamedTuple):
    """A text by number, its score against the other text (0 to 100), and the first relation that finds the two near."""

    at: int
    score: float
    by: By


@dataclass(frozen=True, slots=True)
class Star:
    """A kept text and its members, best rank first.

    ``cut_from`` is the nearest text of another star, where a chain was cut between them; a star may have no members
    besides.
    """

    kept: int
    members: tuple[Near, ...]
    cut_from: Near | None


class Relation(Protocol):
    """A near relation between texts, known by number."""

    by: By

    def connect(self, labels: NDArray[np.int64]) -> None:
        """Merge the labels of all texts that are near, in place; merging too much costs time alone."""

    def near(self, kept: int, others: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the score of each of ``others`` against ``kept``, 0 where the two are not near."""


class Ratio:
    """Texts, each given as its parts (turns), are near if ``len(a) == len(b)`` and every part is near its partner.

    The score of a pair is the lowest ``fuzz.ratio`` of its parts; ``fits`` can refuse a pair of parts. The pairs are
    never all in memory: components come first, then each kept text is compared with its own component.
    """

    def __init__(
        self,
        texts: Sequence[tuple[str, ...]],
        threshold: float,
        executor: Executor | None = None,
        by: By = "ratio",
        fits: Callable[[int, int], bool] | None = None,
    ) -> None:
        self.by = by
        self._texts, self._threshold, self._executor, self._fits = texts, threshold, executor, fits
        # Parts that are near one by one are near when joined, so components of the joined texts miss nothing.
        self._joined = ["\n".join(parts) for parts in texts]
        self._component: NDArray[np.int64] = np.arange(len(texts), dtype=np.int64)

    def connect(self, labels: NDArray[np.int64]) -> None:
        """See :meth:`Relation.connect`."""
        self._component = components(self._joined, self._threshold, self._executor)
        merge_labels(labels, np.arange(len(self._component)), self._component)

    def near(self, kept: int, others: NDArray[np.int64]) -> NDArray[np.float64]:
        """See :meth:`Relation.near`."""
        found = np.zeros(len(others))
        # Other relations may have connected more than these texts are.
        own = np.flatnonzero(self._component[others] == self._component[kept])
        choices = [self._joined[at] for at in others[own]]
        score = process.cdist(
            [self._joined[kept]], choices, scorer=fuzz.ratio, score_cutoff=lowered(self._threshold), dtype=np.float64
        )[0]
        for place in own[np.flatnonzero(score)].tolist():
            other = int(others[place])
            score_of_pair = _weakest(self._texts[kept], self._texts[other], self._threshold)
            if score_of_pair and (self._fits is None or self._fits(kept, other)):
                found[place] = score_of_pair
        return found


class Pairs:
    """Pairs that are known beforehand: text → {near text: score}, in both directions."""

    def __init__(self, by: By, scores: Mapping[int, Mapping[int, float]]) -> None:
        self.by, self._scores = by, scores

    def connect(self, labels: NDArray[np.int64]) -> None:
        """See :meth:`Relation.connect`."""
        left = [a for a, others in self._scores.items() for _ in others]
        right = [b for others in self._scores.values() for b in others]
        merge_labels(labels, np.array(left, np.int64), np.array(right, np.int64))

    def near(self, kept: int, others: NDArray[np.int64]) -> NDArray[np.float64]:
        """See :meth:`Relation.near`."""
        scores = self._scores.get(kept, {})
        return np.array([scores.get(other, 0.0) for other in others.tolist()], np.float64)


class Shared:
    """Texts that have a near line in common: ``lines`` are those of each text, ``near`` the scores of unequal ones."""

    def __init__(self, by: By, lines: Sequence[Collection[str]], near: Mapping[str, Mapping[str, float]]) -> None:
        self.by, self._lines, self._near = by, lines, near
        self._owners: dict[str, list[int]] = {}
        for at, own in enumerate(lines):
            for line in own:
                self._owners.setdefault(line, []).append(at)

    def connect(self, labels: NDArray[np.int64]) -> None:
        """See :meth:`Relation.connect`."""
        first = {line: owners[0] for line, owners in self._owners.items()}
        pairs = [(at, first[line]) for line, owners in self._owners.items() for at in owners]
        pairs += [(first[line], first[other]) for line, others in self._near.items() for other in others]
        left, right = np.array(pairs, np.int64).reshape(-1, 2).T
        merge_labels(labels, left, right)

    def near(self, kept: int, others: NDArray[np.int64]) -> NDArray[np.float64]:
        """See :meth:`Relation.near`."""
        scores: dict[int, float] = {}
        for line in self._lines[kept]:
            for other, score in ((line, 100.0), *self._near.get(line, {}).items()):
                scores |= {at: max(score, scores.get(at, 0.0)) for at in self._owners[other]}
        return np.array([scores.get(other, 0.0) for other in others.tolist()], np.float64)


def stars(relations: Sequence[Relation], rank: Sequence[int]) -> list[Star]:
    """Group texts by nearness. A pair is near if one of the relations says so; the first one that does scores it.

    Greedy by ``rank`` (lower is better, all different): the best text that is not in a star yet is kept, and the free
    texts near it become its members. A text without a near one is left out. The stars are sorted by the rank of their
    kept text.
    """
    labels = np.arange(len(rank), dtype=np.int64)
    for relation in relations:
        relation.connect(labels)
    order = np.lexsort((np.asarray(rank, np.int64), labels))
    found: list[Star] = []
    for component in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if len(component) > 1:
            found += _cut(component, relations)
    return sorted(found, key=lambda star: rank[star.kept])


def _cut(component: NDArray[np.int64], relations: Sequence[Relation]) -> list[Star]:
    free = np.ones(len(component), bool)
    found = []
    for at, kept in enumerate(component.tolist()):
        if not free[at]:
            continue
        free[at] = False
        score = np.zeros(len(component))
        first: list[By] = ["ratio"] * len(component)
        for relation in relations:
            own = relation.near(kept, component)
            for place in np.flatnonzero((score == 0) & (own > 0)).tolist():
                score[place], first[place] = own[place], relation.by
        score[at] = 0
        near = [Near(*row) for row in zip(component.tolist(), score.tolist(), first, strict=True)]
        joins = np.flatnonzero((score > 0) & free)
        free[joins] = False
        taken = score.copy()
        taken[joins] = 0
        nearest = int(np.argmax(taken))
        cut_from = near[nearest] if taken[nearest] > 0 else None
        if len(joins) or cut_from:
            found.append(Star(kept, tuple(near[k] for k in joins.tolist()), cut_from))
    return found


def _weakest(a: tuple[str, ...], b: tuple[str, ...], threshold: float) -> float:
    """Return the lowest score of the parts, or 0 unless all are near."""
    if len(a) != len(b):
        return 0.0
    return min((fuzz.ratio(x, y, score_cutoff=threshold) for x, y in zip(a, b, strict=True)), default=100.0)
