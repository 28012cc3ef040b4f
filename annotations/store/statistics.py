"""Figures over the events: what was done on which day, by whom, how fast. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from sqlalchemy import Engine, distinct, exists, func, select

from annotations.store.database import reading
from annotations.store.schema import events, samples
from annotations.store.types import Day
from curation.review.decisions import DECISIVE

_undo = events.alias()
_STANDS = ~exists().where(_undo.c.verdict == "undo", _undo.c.reason == events.c.id)


@dataclass(frozen=True)
class Statistics:
    """Counts over a store's events. What import approved is not an annotator's work, and what was undone not either."""

    engine: Engine

    def by_day(self, zone: tzinfo = UTC) -> list[Day]:
        """Return how many standing verdicts each annotator made on each day, in a time zone."""
        minute = func.substr(events.c.time, 1, 16)  # no zone's day begins within one
        query = (
            select(minute, events.c.annotator, func.count())
            .where(events.c.verdict.in_(DECISIVE), events.c.client != "import", _STANDS)
            .group_by(minute, events.c.annotator)
        )
        days: Counter[tuple[str, str]] = Counter()
        with reading(self.engine) as connection:
            for moment, who, n in connection.execute(query):
                days[_date(moment, zone), who] += n
        return [Day(date=date, annotator=who, verdicts=n) for (date, who), n in sorted(days.items())]

    def by_annotator(self) -> Counter[str]:
        """Return how many standing verdicts each annotator made."""
        totals: Counter[str] = Counter()
        for day in self.by_day():
            totals[day.annotator] += day.verdicts
        return totals

    def by_reason(self) -> Counter[str]:
        """Return how many standing rejections have each reason, the persona's own reasons too."""
        query = (
            select(events.c.reason, func.count())
            .where(events.c.verdict == "reject", events.c.client != "import", _STANDS)
            .group_by(events.c.reason)
        )
        found: Counter[str] = Counter()
        with reading(self.engine) as connection:
            for reason, n in connection.execute(query):
                # Label Studio's annotators may give several, and a note.
                found.update(dict.fromkeys(reason.split("; "), n))
        return found

    def by_guidelines(self) -> dict[str, int]:
        """Return how many verdicts were made under each version of the guidelines; "" is what recorded none."""
        query = (
            select(events.c.guidelines, func.count())
            .where(events.c.verdict.in_(DECISIVE), events.c.client != "import")
            .group_by(events.c.guidelines)
            .order_by(events.c.guidelines)
        )
        with reading(self.engine) as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def by_verdict(self, annotator: str) -> dict[str, int]:
        """Return how many standing events of each verdict an annotator made."""
        query = (
            select(events.c.verdict, func.count())
            .where(events.c.annotator == annotator, events.c.client != "import", events.c.verdict != "undo", _STANDS)
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


def _date(minute: str, zone: tzinfo) -> str:
    """Return the date of a minute of the log (UTC) in a zone; its first ten letters where it is not a time."""
    try:
        return datetime.fromisoformat(minute).replace(tzinfo=UTC).astimezone(zone).date().isoformat()
    except (ValueError, OverflowError):
        return minute[:10]
