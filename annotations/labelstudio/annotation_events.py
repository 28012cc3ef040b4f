"""Which events a pull writes: readings and the log in, new events out. Pure; knows no server and no database.

Label Studio does not show its annotators what happens in the review store. So an event is never dated before what the
store had when it arrived, and it names in ``after`` the verdicts that its task told of when it was pushed. A
verdict on a revision that has been replaced since then folds into a conflict, as does one that contradicts a verdict
that the annotator could not know of. An annotation that was saved before a rewrite but pulled after it does not
displace that rewrite.

An annotation makes a verdict with its reason codes and, if the annotator wrote one, a note of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from annotations.labelstudio.results import Comment, Origin, Reading, origin
from annotations.store.events_table import time_after
from annotations.store.panels import panel_size
from curation.persona import Review
from curation.review.decisions import DECISIVE, Decision, State, built_upon, fold, in_sight, standing

Place = tuple[int, int]  # (task, annotation)


class AnnotationEvents:
    """The review log as one project's pull sees it. :meth:`add` what has been written.

    ``review`` is persona.toml's table: a panel's verdicts are recorded as blind ones. ``guidelines`` is the version
    that the project shows.
    """

    def __init__(self, events: Iterable[Decision], project: str, review: Review, guidelines: str = "") -> None:
        self.project = project
        self.review = review
        self.guidelines = guidelines
        self.by_sample: dict[str, list[Decision]] = defaultdict(list)
        self.ids: set[str] = set()
        self.last: dict[Place, tuple[Origin, Decision]] = {}
        self.add(events)

    def add(self, events: Iterable[Decision]) -> None:
        """Add events of the log."""
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
        """Return the events for an annotation: none if it is known, an undo first if it has changed."""
        where = reading.origin
        known = self.last.get((where.task, where.annotation))
        # A dismissed verdict stays dismissed. One that a pull has undone (skipped or rejected by a reviewer, then
        # submitted or accepted again) counts again.
        if known and known[0].digest == where.digest and _undo_id(known[1]) not in self.ids:
            return []
        while where.event_id in self.ids:
            if f"{where.event_id}-undo" not in self.ids:
                return []
            where = replace(where, saved=where.saved + 1)  # an undone event does not come back: a new one is needed
        new = self.undo(known[1], reading.time) if known and self.built_upon(known[1]) is None else []
        sample = reading.shown.key.sample_id
        # The ground truth is what an adjudicator has settled: it knows the other verdicts, and no panel waits for it.
        blind = reading.verdict in DECISIVE and not reading.gold
        verdict = Decision(
            id=where.event_id,
            sample_id=sample,
            revision=reading.shown.key.revision,
            verdict=reading.verdict,
            messages=reading.messages,
            reason=reading.reason,
            annotator=annotator,
            client="label-studio",
            time=self._time(sample, reading.time, new),
            panel=self.panel(sample) if blind else 1,
            after=in_sight(self.by_sample[sample]) if reading.gold else reading.shown.after,
            guidelines=self.guidelines,
            seconds=reading.seconds,
        )
        new.append(verdict)
        if reading.note:
            new.append(self._beside(verdict, note_id(verdict), reading.note, annotator, reading.time, new))
        return new

    def record_comment(self, verdict: Decision, comment: Comment, annotator: str) -> list[Decision]:
        """Return the note for a comment on an annotation, nothing if it is known. An edited one replaces the old."""
        prefix = f"{verdict.id}-comment-{comment.id}-"
        if prefix + comment.digest in self.ids:
            return []
        earlier = (e for e in standing(self.by_sample[verdict.sample_id]) if e.id.startswith(prefix))
        new = [undo for event in earlier for undo in self._undo_one(event, comment.time)]
        new.append(self._beside(verdict, prefix + comment.digest, comment.text, annotator, comment.time, new))
        return new

    def panel(self, sample_id: str) -> int:
        """Return how many annotators judge a sample, as the store has it: see :mod:`annotations.store.panels`."""
        events = self.by_sample[sample_id]
        return panel_size(sample_id, events, fold(events).get(sample_id, State()), self.review)

    def undo(self, event: Decision, now: datetime) -> list[Decision]:
        """Return the undo of an event and of the note that came with it, nothing where they are undone already."""
        notes = (e for e in self.by_sample[event.sample_id] if e.id == note_id(event))
        undone: list[Decision] = []
        for one in (event, *notes):
            undone += self._undo_one(one, now, undone)
        return undone

    def _undo_one(self, event: Decision, now: datetime, new: Iterable[Decision] = ()) -> list[Decision]:
        if event not in standing(self.by_sample[event.sample_id]):
            return []
        return [
            Decision(
                id=_undo_id(event),
                sample_id=event.sample_id,
                revision=event.revision,
                verdict="undo",
                messages=None,
                reason=event.id,
                annotator=event.annotator,
                client="label-studio",
                time=self._time(event.sample_id, now, new),
            )
        ]

    def _beside(
        self, verdict: Decision, name: str, text: str, annotator: str, moment: datetime, new: Iterable[Decision]
    ) -> Decision:
        """Return a note beside a verdict."""
        return Decision(
            id=name,
            sample_id=verdict.sample_id,
            revision=verdict.revision,
            verdict="note",
            messages=None,
            reason=text,
            annotator=annotator,
            client="label-studio",
            time=self._time(verdict.sample_id, moment, new),
        )

    def keep(self, event: Decision, why: str, now: datetime) -> list[Decision]:
        """Return a note that a verdict stays although its annotation is gone, nothing if there is such a note."""
        note = f"{event.id}-kept"
        if note in self.ids:
            return []
        return [
            Decision(
                id=note,
                sample_id=event.sample_id,
                revision=event.revision,
                verdict="note",
                messages=None,
                reason=why,
                annotator=event.annotator,
                client=event.client,
                time=self._time(event.sample_id, now),
            )
        ]

    def built_upon(self, event: Decision) -> str | None:
        """Return who continued from an event, None where undoing it would not undo another annotator's work."""
        return built_upon(event, self.by_sample[event.sample_id]) if event.verdict == "rewrite" else None

    def stands(self, place: Place) -> Decision | None:
        """Return the event of an annotation if it still counts and there is no note that it is gone."""
        _, event = self.last[place]
        if _undo_id(event) in self.ids or f"{event.id}-kept" in self.ids:
            return None
        return event if event in standing(self.by_sample[event.sample_id]) else None

    def _time(self, sample: str, moment: datetime, new: Iterable[Decision] = ()) -> str:
        """Return a time after every verdict on a sample. What import approved comes first anyway."""
        times = (e.time for e in (*self.by_sample[sample], *new) if e.client != "import")
        return time_after(moment, max(times, default=None))


def note_id(event: Decision) -> str:
    """Return the id of the note that came with an annotation's verdict."""
    return f"{event.id}-note"


def _undo_id(event: Decision) -> str:
    return f"{event.id}-undo"
