"""Which events of a sample its other events were made in sight of, and the order that follows. Pure.

An event names in ``after`` what its annotator could see. Whoever sees a verdict sees what that one was made in sight
of, too: the events form a graph, like the commits of git. Clocks only order events of which neither knew of the other,
so a wrong clock changes no cause into an effect.

An event whose ``after`` is None, as in logs of earlier versions, is taken to have seen what was dated before it, of
events that do not name theirs either: at the review desk an annotator saw the earlier verdict, and overruled it on
purpose. What another clone did at the same time cannot be told from that any more. Label Studio shows no verdicts, so
its events have seen their annotator's own alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from curation.review.events import DECISIVE, Decision, ordered


@dataclass(frozen=True, slots=True)
class Causes:
    """One sample's events in causal order, what import approved first.

    ``seen[j]`` has bit i set where event j was made in sight of event i; bits of verdicts and undos alone.
    """

    events: tuple[Decision, ...]
    seen: tuple[int, ...]


def causes(events: Iterable[Decision]) -> Causes:
    """Return one sample's events in causal order. It is the same for the same events, however they arrive."""
    found = _in_order(ordered(events))
    place = {e.id: i for i, e in enumerate(found)}
    seen: list[int] = []
    unnamed = 0  # the events so far that do not name what they saw
    own: dict[str, int] = {}  # by annotator: their events so far, and what those saw
    for index, event in enumerate(found):
        counts = event.verdict in DECISIVE or event.verdict == "undo"
        mask = 0
        for name in _named(event):
            parent = place.get(name, index)
            if parent < index:
                mask |= seen[parent] | 1 << parent
        if event.after is None and counts:
            mask |= own.get(event.annotator, 0) | (0 if event.client == "label-studio" else unnamed)
            unnamed |= 1 << index
        if counts:
            own[event.annotator] = own.get(event.annotator, 0) | mask | 1 << index
        seen.append(mask)
    return Causes(tuple(found), tuple(seen))


def _named(event: Decision) -> list[str]:
    """Return the ids that an event says it saw. An undo has seen what it undoes."""
    names = event.after.split(" ") if event.after else []
    return [*names, event.reason] if event.verdict == "undo" else names


def _in_order(events: list[Decision]) -> list[Decision]:
    """Return events such that each comes after those it names; otherwise by time and id, import's first."""
    # Any person overrules an approval by import, whenever the import ran.
    events = sorted(events, key=lambda e: e.client != "import")
    place = {e.id: i for i, e in enumerate(events)}
    parents = [{place[n] for n in _named(e) if n in place} - {i} for i, e in enumerate(events)]
    if all(parent < index for index, named in enumerate(parents) for parent in named):
        return events
    children: list[list[int]] = [[] for _ in events]
    for index, named in enumerate(parents):
        for parent in named:
            children[parent].append(index)
    waiting = [len(named) for named in parents]
    ready = [index for index, n in enumerate(waiting) if n == 0]
    heapify(ready)
    left = dict.fromkeys(range(len(events)))
    result: list[Decision] = []
    while left:
        # Events that name each other in a circle (a damaged log) come in the order of their times.
        index = heappop(ready) if ready else next(iter(left))
        if index not in left:
            continue
        del left[index]
        result.append(events[index])
        for child in children[index]:
            waiting[child] -= 1
            if waiting[child] == 0:
                heappush(ready, child)
    return result


def in_sight(events: Iterable[Decision]) -> str:
    """Return the ``after`` of an event that is made in sight of these: those that no other of them has seen."""
    found = causes(events)
    covered = 0
    newest: list[str] = []
    imported = ""
    for index in range(len(found.events) - 1, -1, -1):
        event = found.events[index]
        if event.verdict not in DECISIVE and event.verdict != "undo":
            continue
        if event.client == "import":
            imported = event.id
        elif not covered >> index & 1 and not event.id.count(" "):
            newest.append(event.id)
        covered |= found.seen[index]
    return " ".join(reversed(newest)) or imported


def standing(events: Iterable[Decision]) -> list[Decision]:
    """Return one sample's events in the order in which they count, without undos and the events they undo."""
    found = causes(events).events
    undone = {e.reason for e in found if e.verdict == "undo"}
    return [e for e in found if e.verdict != "undo" and e.id not in undone]
