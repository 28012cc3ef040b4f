"""Figures over the events: what was done on which day, by whom, how fast. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, distinct, exists, func, select

from annotations.store.database import reading
from annotations.store.schema import events, samples
from annotations.store.types import Day
from curation.review.decisions import DECISIVE


@dataclass(frozen=True)
class Statistics:
    """Counts over a store's events. What import approved is not an annotator's work and is left out."""

    engine: Engine

    def by_day(self) -> list[Day]:
        """Return how many verdicts each annotator made on each day (UTC)."""
        day = func.substr(events.c.time, 1, 10)
        query = (
            select(day, events.c.annotator, func.count())
            .where(events.c.verdict.in_(DECISIVE), events.c.client != "import")
            .group_by(day, events.c.annotator)
            .order_by(day, events.c.annotator)
        )
        with reading(self.engine) as connection:
            return [Day(date=date, annotator=who, verdicts=n) for date, who, n in connection.execute(query)]

    def by_annotator(self) -> Counter[str]:
        """Return how many verdicts each annotator made."""
        totals: Counter[str] = Counter()
        for day in self.by_day():
            totals[day.annotator] += day.verdicts
        return totals

    def by_verdict(self, annotator: str) -> dict[str, int]:
        """Return how many events of each verdict an annotator made."""
        query = (
            select(events.c.verdict, func.count())
            .where(events.c.annotator == annotator, events.c.client != "import")
            .group_by(events.c.verdict)
            .order_by(events.c.verdict)
        )
        with reading(self.engine) as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def recent_times(self, annotator: str, limit: int = 50) -> Sequence[str]:
        """Return when the annotator made their newest verdicts, newest first."""
        query = (
            select(events.c.time)
            .where(events.c.annotator == annotator, events.c.verdict.in_(DECISIVE), events.c.client != "import")
            .order_by(events.c.seq.desc())
            .limit(limit)
        )
        with reading(self.engine) as connection:
            return [row.time for row in connection.execute(query)]

    def unknown_samples(self) -> int:
        """Return how many samples have events although no queue has brought them."""
        known = exists().where(samples.c.id == events.c.sample_id)
        query = select(func.count(distinct(events.c.sample_id))).where(~known)
        with reading(self.engine) as connection:
            return connection.execute(query).scalar_one()
