"""The store's events: the whole log, one sample's history, and what was added from elsewhere.

Each public method is one transaction. An event is never changed, but for the one case that
:func:`annotations.store.events_table.merge` describes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine

from annotations.store import events_table, projection
from annotations.store.database import one_at_a_time, reading, writing
from curation.review.causes import causes
from curation.review.decisions import Client, Decision


@dataclass(frozen=True)
class EventLog:
    """A store's events. Verdicts made at the desk go through :class:`~annotations.store.ReviewStore`."""

    engine: Engine

    def add(self, decisions: Iterable[Decision]) -> int:
        """Add events from elsewhere (the log's file, Label Studio), skipping known ids. Returns how many were new."""
        decisions = list(decisions)
        if not decisions:
            return 0
        with writing(self.engine) as connection:
            one_at_a_time(connection)
            touched, new = events_table.merge(connection, decisions)
            projection.project(connection, touched)
            return new

    def events(self) -> list[Decision]:
        """Return every event, oldest first."""
        with reading(self.engine) as connection:
            return list(events_table.everything(connection))

    def history(self, sample_id: str) -> list[Decision]:
        """Return a sample's events, undone ones too, each behind those that its annotator saw."""
        with reading(self.engine) as connection:
            return list(causes(events_table.of_sample(connection, sample_id)).events)

    def recent(self, annotator: str, limit: int = 20) -> list[Decision]:
        """Return the annotator's newest events, newest first."""
        with reading(self.engine) as connection:
            return events_table.recent(connection, annotator, limit)

    def of_panels(self) -> list[Decision]:
        """Return every event of the samples that have a blind verdict, undos included."""
        with reading(self.engine) as connection:
            return events_table.of_panels(connection)

    def last_seq(self, without: Client | None = None) -> int:
        """Return a number that grows with every event, except with those that the client ``without`` made."""
        with reading(self.engine) as connection:
            return events_table.last_seq(connection, without)
