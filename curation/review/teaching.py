"""The order of review in which a verdict teaches most. Pure: signals in, order and reasons out.

Three signals are compared by their ranks, since their units differ: how unlikely the newest run finds a reply
(``surprise``), how undecided the flags are (``doubt``), and how few approved samples a sample's topic has (``thin``).
Within a topic the highest sum comes first; the topics take turns, so that neighbours do not come one after another.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Why: TypeAlias = Literal["surprise", "doubt", "thin", "spread"]

# The surprise is measured on the reply itself; the other two only say something about where it lies.
WEIGHTS: dict[Why, float] = {"surprise": 1.0, "doubt": 0.5, "thin": 0.5}
# A signal is named as the reason when the sample lies in its upper half.
_TELLING = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What is known of a waiting sample; None where it was not measured.

    ``surprise`` is the nll per reply character, ``doubt`` 0 (the flags are settled) to 1 (as often right as wrong),
    ``topic`` the number of its cluster by meaning. Samples of one ``unit`` stay together: near-duplicates.
    """

    id: str
    unit: str
    surprise: float | None = None
    doubt: float = 0.0
    topic: int | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A sample's place in the order, from 0, and what brought it there."""

    place: int
    why: Why


def doubt(precisions: Iterable[float | None]) -> float:
    """Return how undecided a sample's flags are, 0 to 1: 1 - |2p - 1| of the one nearest to one half.

    A flag that no person has judged yet is as undecided as one that is right half of the time.
    """
    return max((1.0 if p is None else 1.0 - abs(2.0 * p - 1.0) for p in precisions), default=0.0)


def order(samples: Sequence[Signals], approved: Mapping[int, int]) -> dict[str, Placed]:
    """Return the place of each sample. ``approved`` counts the approved samples of each topic.

    The same input gives the same order, however it is sorted: ties go by id.
    """
    surprise = _shares({s.id: s.surprise for s in samples if s.surprise is not None})
    doubts = _shares({s.id: s.doubt for s in samples if s.doubt > 0}, least=_TELLING)
    thin = _shares({s.id: -float(approved.get(s.topic, 0)) for s in samples if s.topic is not None})
    units: dict[str, list[Signals]] = defaultdict(list)
    for sample in sorted(samples, key=lambda s: s.id):
        units[sample.unit].append(sample)

    def parts(sample: Signals) -> dict[Why, float]:
        found: dict[Why, Mapping[str, float]] = {"surprise": surprise, "doubt": doubts, "thin": thin}
        return {why: WEIGHTS[why] * share.get(sample.id, 0.0) for why, share in found.items()}

    best = {name: max(unit, key=lambda s: sum(parts(s).values())) for name, unit in units.items()}
    worth = {name: sum(parts(sample).values()) for name, sample in best.items()}
    turn: Counter[int | str] = Counter()
    turns: dict[str, int] = {}
    for name in sorted(units, key=lambda name: (-worth[name], name)):
        topic = best[name].topic
        key: int | str = name if topic is None else topic  # without a topic nothing is a neighbour
        turns[name] = turn[key]
        turn[key] += 1
    placed: dict[str, Placed] = {}
    for name in sorted(units, key=lambda name: (turns[name], -worth[name], name)):
        own = parts(best[name])
        top: Why = max(own, key=lambda why: own[why])
        why: Why = top if own[top] > _TELLING * WEIGHTS[top] else "spread"
        for sample in units[name]:
            placed[sample.id] = Placed(len(placed), why)
    return placed


def _shares(values: Mapping[str, float], least: float = 0.0) -> dict[str, float]:
    """Return each value's rank as a share between ``least`` and 1; equal values share the mean of their ranks."""
    at: dict[float, list[int]] = defaultdict(list)
    for rank, value in enumerate(sorted(values.values())):
        at[value].append(rank)
    last = max(1, len(values) - 1)
    share = {value: sum(ranks) / len(ranks) / last if len(values) > 1 else 1.0 for value, ranks in at.items()}
    return {name: least + (1.0 - least) * share[value] for name, value in values.items()}
