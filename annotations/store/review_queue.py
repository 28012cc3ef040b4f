"""The queue as annotators work through it: the next sample, what each has open, what a filter lets through.

Comes in: the queue of `inosuke dataset` and an annotator's filters. Goes out: samples as :class:`Item`, with their
state. Each public method is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, select

from annotations.store import events_table, leases, projection, queries, queue_table
from annotations.store.database import in_batches, one_at_a_time, reading, writing
from annotations.store.queries import Filters
from annotations.store.queue_table import Loaded
from annotations.store.schema import assignments, samples
from annotations.store.side_tables import Meta, set_meta
from annotations.store.types import Item, UnknownSample, Waiting
from curation.review.decisions import State, fold
from curation.review.queue import QueueItem

if TYPE_CHECKING:
    from curation.persona import Review

_STAMP = "queue"


@dataclass(frozen=True)
class ReviewQueue:
    """A store's queue. An open sample is leased to its annotator for ``lease_seconds``; ``clock`` as in the store."""

    engine: Engine
    clock: Callable[[], float]
    lease_seconds: float

    # ------------------------------------------------------------ loading

    def load(self, items: Sequence[QueueItem], review: Review | None = None, stamp: str = "") -> Loaded:
        """Make the store hold this queue; verdicts stay. ``stamp`` is what :meth:`stamp` returns from now on.

        ``review`` is persona.toml's table: it says which samples a panel judges. :mod:`annotations.store.panels`
        describes what a changed table means for samples that already have verdicts.
        """
        with writing(self.engine) as connection:
            one_at_a_time(connection)
            loaded = queue_table.load(connection, items, review)
            set_meta(connection, _STAMP, stamp)
            return loaded

    def stamp(self) -> str | None:
        """Return the stamp of the queue that was loaded last, None before the first."""
        return Meta(self.engine).get(_STAMP)

    # ------------------------------------------------------------ opening samples

    def next_item(self, annotator: str, filters: Filters | None = None, after: int | None = None) -> Item | None:
        """Lease the next sample to the annotator: the first one behind rank ``after``, then from the front again.

        What is assigned to the annotator comes before what is no one's. Returns None when nothing that the filters let
        through is free.
        """
        filters = filters or Filters()
        if filters.queue == "" and self._has_own_work(annotator):
            mine = self.next_item(annotator, replace(filters, queue="mine"), after)
            if mine is not None:
                return mine
        tried: set[str] = set()
        now = self.clock()
        with writing(self.engine) as connection:
            while True:
                found = queries.first_free(connection, annotator, filters, now, after, tried)
                if found is None and after is None:
                    return None
                if found is None:
                    after = None
                    continue
                sample_id, panel = found
                # Ask again who holds the row now that it is locked: on PostgreSQL the search above may have seen
                # older leases.
                if len(leases.others(connection, sample_id, annotator, now)) < panel:
                    leases.take(connection, sample_id, annotator, now + self.lease_seconds, now)
                    return read_item(connection, sample_id, annotator, self.clock())
                tried.add(sample_id)

    def _has_own_work(self, annotator: str) -> bool:
        with reading(self.engine) as connection:
            query = select(assignments.c.sample_id).where(assignments.c.annotator == annotator).limit(1)
            return connection.execute(query).first() is not None

    def open_item(self, sample_id: str, annotator: str) -> Item:
        """Return one sample, leased to the annotator unless others have it open. Raises UnknownSample."""
        now = self.clock()
        if self._is_fresh(sample_id, annotator, now):
            return self.item(sample_id, annotator)
        with writing(self.engine) as connection:
            panel = lock_sample(connection, sample_id)
            if len(leases.others(connection, sample_id, annotator, now)) < panel:
                leases.take(connection, sample_id, annotator, now + self.lease_seconds, now)
            return read_item(connection, sample_id, annotator, self.clock())

    def item(self, sample_id: str, annotator: str = "") -> Item:
        """Return one sample without leasing it. Raises UnknownSample."""
        with reading(self.engine) as connection:
            return read_item(connection, sample_id, annotator, self.clock())

    def renew(self, sample_ids: Sequence[str], annotator: str) -> int:
        """Extend the annotator's leases of which half is over. Returns how many were extended."""
        now = self.clock()
        old = [sample_id for sample_id in sample_ids if not self._is_fresh(sample_id, annotator, now)]
        if not old:
            return 0
        with writing(self.engine) as connection:
            return leases.renew(connection, old, annotator, now + self.lease_seconds)

    def held(self, annotator: str) -> list[str]:
        """Return the ids of the samples that the annotator has open, the last opened first."""
        with reading(self.engine) as connection:
            return leases.held(connection, annotator, self.clock())

    def release(self, sample_id: str, annotator: str) -> None:
        """End the annotator's lease, so that others can take the sample."""
        with writing(self.engine) as connection:
            leases.release(connection, sample_id, annotator)

    def _is_fresh(self, sample_id: str, annotator: str, now: float) -> bool:
        """Return whether more than half of the annotator's lease is left: a page drawn again then writes nothing."""
        with reading(self.engine) as connection:
            until = leases.until(connection, sample_id, annotator)
        return until is not None and until > now + self.lease_seconds / 2

    # ------------------------------------------------------------ looking around

    def neighbour(self, annotator: str, filters: Filters, rank: int | None, back: bool = False) -> str | None:
        """Return the id of the sample before or behind a rank that the filters let through."""
        with reading(self.engine) as connection:
            return queries.neighbour(connection, annotator, filters, rank, back)

    def cluster(self, cluster: str) -> list[Item]:
        """Return the members of a near-duplicate cluster."""
        with reading(self.engine) as connection:
            ids = [row.id for row in queries.members(connection, cluster)]
            return [read_item(connection, sample_id, "", self.clock()) for sample_id in ids]

    def listing(self, annotator: str, filters: Filters, limit: int) -> list[Item]:
        """Return the first samples that the filters let through, without leasing them."""
        with reading(self.engine) as connection:
            ids = queries.listing(connection, annotator, filters, limit)
            return [read_item(connection, sample_id, annotator, self.clock()) for sample_id in ids]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return ``{kind: {status: n}}`` over the queue."""
        with reading(self.engine) as connection:
            return queries.counts(connection)

    def waiting(self) -> Waiting:
        """Return how many samples wait for an adjudicator."""
        with reading(self.engine) as connection:
            return queries.waiting(connection)

    def count(self, annotator: str, filters: Filters) -> int:
        """Return how many samples the filters let through."""
        with reading(self.engine) as connection:
            return queries.count(connection, annotator, filters)

    def choices(self) -> dict[str, list[str]]:
        """Return the values that each filter can be set to."""
        with reading(self.engine) as connection:
            return queries.choices(connection)

    def kinds_of(self, sample_ids: Collection[str]) -> dict[str, str]:
        """Return ``{sample id: kind}`` for these samples."""
        with reading(self.engine) as connection:
            return queries.kinds(connection, sample_ids)


# ---------------------------------------------------------------- inside a transaction


def read_item(connection: Connection, sample_id: str, annotator: str, now: float) -> Item:
    """Return a sample with the fold of its events and who else has it open. Raises UnknownSample."""
    row = connection.execute(select(samples).where(samples.c.id == sample_id)).first()
    if row is None:
        raise UnknownSample(sample_id)
    log = events_table.of_sample(connection, sample_id)
    state = fold(log).get(sample_id, State())
    return Item(
        queued=queue_table.from_body(row.body),
        state=state,
        status=projection.status_of(state),
        rank=row.rank,
        panel=row.panel,
        seen=events_table.last_seq_of(connection, sample_id),
        holders=tuple(leases.others(connection, sample_id, annotator, now)),
    )


def lock_sample(connection: Connection, sample_id: str) -> int:
    """Keep other writers from a sample until the transaction ends. Returns its panel. Raises UnknownSample.

    On SQLite the transaction itself does that: it has one writer at a time.
    """
    query = select(samples.c.panel).where(samples.c.id == sample_id).with_for_update()
    panel: int | None = connection.execute(query).scalar()
    if panel is None:
        raise UnknownSample(sample_id)
    return panel


def lock_samples(connection: Connection, sample_ids: Collection[str]) -> None:
    """Keep other writers from many samples; ids that no queue has brought are skipped.

    Always in the order of ids, so that two batches on PostgreSQL cannot wait for each other.
    """
    for ids in in_batches(sorted(set(sample_ids))):
        wanted = samples.c.id.in_(ids)
        connection.execute(select(samples.c.id).where(wanted).order_by(samples.c.id).with_for_update()).all()


def panel_of(connection: Connection, sample_id: str) -> int:
    """Return a sample's panel, 1 where no queue has brought it."""
    panel: int | None = connection.execute(select(samples.c.panel).where(samples.c.id == sample_id)).scalar()
    return panel or 1
