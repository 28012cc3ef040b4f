"""Figures over the events: what was done on which day, by whom, how fast. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, distinct, exists, func, select

from annotations.store.rules import DECISIVE
from annotations.store.schema import events, samples
from annotations.store.types import Day


def by_day(connection: Connection) -> list[Day]:
    """Return how many verdicts each person made on each day; what import approved is nobody's work."""
    day = func.substr(events.c.time, 1, 10)
    query = (
        select(day, events.c.annotator, func.count())
        .where(events.c.verdict.in_(DECISIVE), events.c.client != "import")
        .group_by(day, events.c.annotator)
        .order_by(day, events.c.annotator)
    )
    return [Day(*row) for row in connection.execute(query)]


def by_verdict(connection: Connection, annotator: str) -> dict[str, int]:
    """Return how many events of each sort an annotator made."""
    query = (
        select(events.c.verdict, func.count())
        .where(events.c.annotator == annotator, events.c.client != "import")
        .group_by(events.c.verdict)
        .order_by(events.c.verdict)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def recent_times(connection: Connection, annotator: str, limit: int = 50) -> Sequence[str]:
    """Return when the annotator's newest verdicts were made, newest first."""
    query = (
        select(events.c.time)
        .where(events.c.annotator == annotator, events.c.verdict.in_(DECISIVE), events.c.client != "import")
        .order_by(events.c.seq.desc())
        .limit(limit)
    )
    return [row.time for row in connection.execute(query)]


def unknown_samples(connection: Connection) -> int:
    """Return of how many samples there are events and no row."""
    known = exists().where(samples.c.id == events.c.sample_id)
    return connection.execute(select(func.count(distinct(events.c.sample_id))).where(~known)).scalar_one()
