"""Where annotators came to different verdicts without sight of each other's, and who settled it. Pure.

Events of the review log in; one :class:`Disagreement` a sample out. A verdict that overrules another on purpose is not
a disagreement here, and neither are the votes of a panel that is not complete: they are blind until then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from curation.review.causes import causes
from curation.review.decisions import DECISIVE, Decision, State, fold
from curation.review.states import outcomes

Kind = Literal["conflict", "dispute", "settled"]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The verdicts that differ on one sample, in causal order. ``settled_by`` is empty while an adjudicator is needed.

    A ``conflict`` is between verdicts that count on their own, a ``dispute`` between the votes of a blind panel.
    """

    sample_id: str
    kind: Kind
    verdicts: tuple[Decision, ...]
    settled_by: str = ""


def disagreements(events: Iterable[Decision]) -> list[Disagreement]:
    """Return the samples on which annotators disagree or have disagreed, sorted by id."""
    by_sample: dict[str, list[Decision]] = defaultdict(list)
    for event in events:
        by_sample[event.sample_id].append(event)
    states = fold(event for sample in by_sample.values() for event in sample)
    found = (_of_sample(sample, by_sample[sample], states[sample]) for sample in sorted(by_sample))
    return [one for one in found if one is not None]


def waiting_line(conflicts: int, disputes: int) -> str:
    """Return the line of a command that says how many samples wait for an adjudicator, and where."""
    parts = [f"{n:,} {name}" for n, name in ((conflicts, "in conflict"), (disputes, "in dispute")) if n]
    return f"{' and '.join(parts)}: an adjudicator settles them (make review, Adjudication)"


def _of_sample(sample: str, events: list[Decision], state: State) -> Disagreement | None:
    found = causes(events)
    undone = {e.reason for e in events if e.verdict == "undo"}
    place = {
        e.id: i
        for i, e in enumerate(found.events)
        if e.verdict in DECISIVE and e.client != "import" and e.id not in undone
    }
    differing = {*state.conflicts}
    came_to = outcomes(events)
    for one, other in combinations(place, 2):  # in causal order: only the second can have seen the first
        first, second = found.events[place[one]], found.events[place[other]]
        blind = first.panel > 1 and second.panel > 1 and first.annotator != second.annotator
        seen = found.seen[place[other]] >> place[one] & 1
        # A verdict that its own side overruled before they met is not an opinion that anyone holds.
        pair = 1 << place[one] | 1 << place[other]
        stale = any((found.seen[i] & pair).bit_count() == 1 for i in place.values() if not pair >> i & 1)
        if (blind or not (seen or stale)) and came_to.get(one) != came_to.get(other):
            differing |= {one, other}
    if not differing:
        return None
    verdicts = [found.events[i] for name, i in place.items() if name in differing]
    if state.conflicts:
        # What stands belongs to it, even where the events do not say what their annotators saw.
        stands = [e for name, i in place.items() if (e := found.events[i]).annotator in state.reviewers]
        both = [e for e in found.events if e in verdicts or e in stands]
        return Disagreement(sample, "conflict", tuple(both))
    if state.disputed:
        return Disagreement(sample, "dispute", tuple(verdicts))
    if state.status == "pending":
        return None  # votes of a panel that is not complete
    mask = sum(1 << place[e.id] for e in verdicts)
    settling = [
        e for name, i in place.items() if (e := found.events[i]).panel == 1 and (found.seen[i] & mask).bit_count() > 1
    ]
    if not settling and any(e.panel > 1 for e in verdicts):
        # The log of an earlier version: the first verdict of panel 1 after the votes.
        settling = [e for name, i in place.items() if (e := found.events[i]).panel == 1 and e not in verdicts]
    return Disagreement(sample, "settled", tuple(verdicts), settling[-1].annotator if settling else "")
