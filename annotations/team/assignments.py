"""Whose work a sample is: assign what a filter lets through to an annotator, and see how far each has come.

Assignments lie in the store alone: they say who works on what now, and the log says who did it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import delete, func, insert, select

from annotations.store import queries
from annotations.store.database import in_batches, one_at_a_time, reading, writing
from annotations.store.events_table import time_of
from annotations.store.queries import Filters
from annotations.store.review_store import ReviewStore
from annotations.store.schema import assignments, samples
from curation.errors import UsageError


@dataclass(frozen=True, slots=True)
class Share:
    """An annotator's assigned samples: how many wait, and how many are decided."""

    annotator: str
    open: int
    done: int


@dataclass(frozen=True)
class Assignments:
    """A store's assignments. Each public method is one transaction."""

    store: ReviewStore

    def assign(self, annotator: str, filters: Filters, limit: int | None = None) -> list[str]:
        """Assign samples that the filters let through, at most ``limit``, first in the queue first. Returns their ids.

        What is assigned already, to this annotator or to a full panel of others, is passed over. Raises UsageError for
        a name that the store does not know.
        """
        self._known(annotator)
        wanted = replace(filters, queue="")
        now = time_of(self.store.clock)
        with writing(self.store.engine) as connection:
            one_at_a_time(connection)  # two people who assign at once must not both give away one sample
            mine = select(assignments.c.sample_id).where(assignments.c.annotator == annotator)
            taken = select(func.count()).select_from(assignments).where(assignments.c.sample_id == samples.c.id)
            query = (
                select(samples.c.id)
                .where(
                    *queries.conditions(connection, wanted, annotator),
                    samples.c.id.not_in(mine),
                    taken.scalar_subquery() < samples.c.panel,
                )
                .order_by(samples.c.rank)
                .limit(limit)
            )
            ids = [row.id for row in connection.execute(query)]
            if ids:
                rows = [{"sample_id": sample, "annotator": annotator, "time": now} for sample in ids]
                connection.execute(insert(assignments), rows)
        return ids

    def clear(self, annotator: str, filters: Filters, limit: int | None = None) -> int:
        """Take assigned samples that the filters let through from an annotator. Returns how many there were.

        The filter `open` stands for all that are not decided: what the annotator has skipped is taken away too.
        """
        self._known(annotator)
        with writing(self.store.engine) as connection:
            one_at_a_time(connection)
            waiting = filters.status == "open"
            mine = replace(filters, queue="mine", status="all" if waiting else filters.status)
            query = (
                select(samples.c.id).where(*queries.conditions(connection, mine, annotator)).order_by(samples.c.rank)
            )
            if waiting:
                query = query.where(samples.c.status.in_(("pending", "disputed")))
            ids = [row.id for row in connection.execute(query.limit(limit))]
            for some in in_batches(ids):
                theirs = (assignments.c.sample_id.in_(some), assignments.c.annotator == annotator)
                connection.execute(delete(assignments).where(*theirs))
        return len(ids)

    def shares(self) -> list[Share]:
        """Return each annotator's share, sorted by name. Samples that a later queue does not have are left out."""
        query = (
            select(assignments.c.annotator, samples.c.status, func.count())
            .join(samples, samples.c.id == assignments.c.sample_id)
            .where(samples.c.queued.is_(True))
            .group_by(assignments.c.annotator, samples.c.status)
        )
        waiting: dict[str, int] = {}
        done: dict[str, int] = {}
        with reading(self.store.engine) as connection:
            for annotator, status, n in connection.execute(query):
                side = done if status in ("approved", "rejected") else waiting
                side[annotator] = side.get(annotator, 0) + n
        return [Share(name, waiting.get(name, 0), done.get(name, 0)) for name in sorted({*waiting, *done})]

    def _known(self, annotator: str) -> None:
        names = self.store.people.roles()
        if annotator not in names:
            there = f"Known: {', '.join(names)}." if names else "No one is known yet."
            raise UsageError(
                f"no annotator is called {annotator!r}. {there} Add one first: inosuke review annotator NAME"
            )
