"""What a pull has to write: readings and the log in, new events out. Pure; knows no server and no database.

Label Studio shows its annotators nothing of what happens in the review store. So an event never claims to be older
than what the store had when it arrived: a verdict on a revision that was replaced meanwhile folds into a conflict, and
nobody's rewrite is displaced by an annotation that was saved before it and pulled after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from annotations.labelstudio.results import Origin, Reading, origin
from annotations.store.events import time_after
from annotations.store.queue_table import Overlap
from annotations.store.rules import DECISIVE
from curation.review.decisions import Decision, standing

Place = tuple[int, int]  # (task, annotation)


class Ledger:
    """The review log as one project's pull sees it. :meth:`add` what has been written."""

    def __init__(self, events: Iterable[Decision], project: str, overlap: Overlap) -> None:
        self.project = project
        self.overlap = overlap
        self.by_sample: dict[str, list[Decision]] = defaultdict(list)
        self.ids: set[str] = set()
        self.last: dict[Place, tuple[Origin, Decision]] = {}
        self.add(events)

    def add(self, events: Iterable[Decision]) -> None:
        """Take note of events of the log."""
        for event in events:
            if event.id in self.ids:
                continue
            self.ids.add(event.id)
            self.by_sample[event.sample_id].append(event)
            where = origin(event.id)
            if where is None or where.project != self.project:
                continue
            place = (where.task, where.annotation)
            if place not in self.last or self.last[place][0].saved <= where.saved:
                self.last[place] = (where, event)

    def record(self, reading: Reading, annotator: str) -> list[Decision]:
        """Return the events for an annotation: none if it is known, and first an undo if it said something else."""
        where = reading.origin
        known = self.last.get((where.task, where.annotation))
        # A dismissed verdict stays dismissed; one that a pull took back (skipped, then submitted again) does not.
        if known and known[0].digest == where.digest and _undo_id(known[1]) not in self.ids:
            return []
        if where.event_id in self.ids:
            return []
        new = self.take_back(known[1], reading.time) if known and self.built_upon(known[1]) is None else []
        sample = reading.seen.key.sample_id
        new.append(
            Decision(
                where.event_id,
                sample,
                reading.seen.key.revision,
                reading.verdict,
                reading.messages,
                reading.reason,
                annotator,
                "label-studio",
                self._time(sample, reading.time, new),
                self.overlap.panel(sample) if reading.verdict in DECISIVE else 1,
            )
        )
        return new

    def take_back(self, event: Decision, now: datetime) -> list[Decision]:
        """Return the undo of an event, nothing where it is undone already."""
        if event not in standing(self.by_sample[event.sample_id]):
            return []
        return [
            Decision(
                _undo_id(event),
                event.sample_id,
                event.revision,
                "undo",
                None,
                event.id,
                event.annotator,
                "label-studio",
                self._time(event.sample_id, now),
            )
        ]

    def keep(self, event: Decision, why: str, now: datetime) -> list[Decision]:
        """Return a note that a verdict stays although its annotation is gone, nothing where that is noted already."""
        note = f"{event.id}-kept"
        if note in self.ids:
            return []
        time = self._time(event.sample_id, now)
        client = event.client
        return [Decision(note, event.sample_id, event.revision, "note", None, why, event.annotator, client, time)]

    def built_upon(self, event: Decision) -> str | None:
        """Return who went on from a rewrite, None where taking it back would undo nobody else's work."""
        if event.verdict != "rewrite":
            return None
        for later in standing(self.by_sample[event.sample_id]):
            goes_on = later.verdict in DECISIVE and later.revision > event.revision
            if goes_on and later.annotator != event.annotator:
                return later.annotator
        return None

    def stands(self, place: Place) -> Decision | None:
        """Return the event of an annotation if it still counts and nobody has noted that it is gone."""
        _, event = self.last[place]
        if _undo_id(event) in self.ids or f"{event.id}-kept" in self.ids:
            return None
        return event if event in standing(self.by_sample[event.sample_id]) else None

    def _time(self, sample: str, moment: datetime, new: Iterable[Decision] = ()) -> str:
        """Return a time behind everything that people decided on a sample. What import approved comes first anyway."""
        times = (e.time for e in (*self.by_sample[sample], *new) if e.client != "import")
        return time_after(moment, max(times, default=None))


def _undo_id(event: Decision) -> str:
    return f"{event.id}-undo"
