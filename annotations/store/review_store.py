"""The review store: the queue, who has what open, and every verdict as an event that is never changed.

Comes in: the queue of `inosuke dataset`, and verdicts. Goes out: the next sample for an annotator, its history, the
events for the review log. Knows nothing of pages, of Label Studio, or of where the log's file is (``sync.py`` does).

Each public method is one transaction: what it says happened is on the disk, or nothing is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from annotations.store import events, leases, projection, queries, queue_table
from annotations.store.database import one_at_a_time, open_engine, reading, writing
from annotations.store.queries import Filters
from annotations.store.queue_table import Loaded, Overlap
from annotations.store.rules import Request, check, find_undoable
from annotations.store.schema import events as events_table
from annotations.store.schema import samples
from annotations.store.side_tables import Notebook, drop_draft, set_meta
from annotations.store.types import BadVerdict, Item, Leased, UnknownSample
from curation.record import Message
from curation.review.decisions import Client, Decision, State, Verdict, fold
from curation.review.queue import QueueItem

DEFAULT_URL = "sqlite:///datasets/review.db"
LEASE_SECONDS = 300.0


class ReviewStore(Notebook):
    """A review store at a database URL: ``sqlite:///file`` or ``postgresql+psycopg://user:password@host/name``.

    Opening one creates or migrates its tables. Raises StoreError when the database cannot be used. ``clock`` returns
    seconds since 1970 (tests give their own).
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        lease_seconds: float = LEASE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.engine = open_engine(url)
        self.lease_seconds = lease_seconds
        self.clock = clock

    def close(self) -> None:
        """Give the connections back. The store can go on being used; it then connects again."""
        self.engine.dispose()

    # ------------------------------------------------------------ the queue

    def load_queue(self, items: Sequence[QueueItem], overlap: Overlap | None = None, stamp: str = "") -> Loaded:
        """Make the store hold this queue; verdicts stay. ``stamp`` is kept for :meth:`queue_stamp`."""
        with writing(self.engine) as connection:
            one_at_a_time(connection)
            loaded = queue_table.load(connection, items, overlap or Overlap())
            set_meta(connection, "queue", stamp)
            return loaded

    def queue_stamp(self) -> str | None:
        """Return the stamp of the queue that was loaded last, None before the first."""
        return self.get_meta("queue")

    def next_item(self, annotator: str, filters: Filters | None = None, after: int | None = None) -> Item | None:
        """Lease the next sample to the annotator: the first one behind rank ``after``, then from the front again.

        Returns None when nothing that the filters let through is free.
        """
        filters = filters or Filters()
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
                # The row is locked now; who holds it is asked again, for on PostgreSQL the search above may have seen
                # the leases of a moment ago.
                if len(leases.others(connection, sample_id, annotator, now)) < panel:
                    leases.take(connection, sample_id, annotator, now + self.lease_seconds, now)
                    return self._item(connection, sample_id, annotator)
                tried.add(sample_id)

    def open_item(self, sample_id: str, annotator: str) -> Item:
        """Return one sample and lease it if nobody else has it open. Raises UnknownSample."""
        now = self.clock()
        if self._is_mine(sample_id, annotator, now):
            return self.item(sample_id, annotator)
        with writing(self.engine) as connection:
            panel = _lock(connection, sample_id)
            if len(leases.others(connection, sample_id, annotator, now)) < panel:
                leases.take(connection, sample_id, annotator, now + self.lease_seconds, now)
            return self._item(connection, sample_id, annotator)

    def item(self, sample_id: str, annotator: str = "") -> Item:
        """Return one sample without leasing it. Raises UnknownSample."""
        with reading(self.engine) as connection:
            return self._item(connection, sample_id, annotator)

    def neighbour(self, annotator: str, filters: Filters, rank: int | None, back: bool = False) -> str | None:
        """Return the id of the sample before or behind a rank that the filters let through."""
        with reading(self.engine) as connection:
            return queries.neighbour(connection, annotator, filters, rank, back)

    def cluster(self, cluster: str) -> list[Item]:
        """Return the members of a near-duplicate cluster."""
        with reading(self.engine) as connection:
            return [self._item(connection, row.id, "") for row in queries.members(connection, cluster)]

    def listing(self, annotator: str, filters: Filters, limit: int) -> list[Item]:
        """Return the first samples that the filters let through, without leasing them."""
        with reading(self.engine) as connection:
            ids = queries.listing(connection, annotator, filters, limit)
            return [self._item(connection, sample_id, annotator) for sample_id in ids]

    def renew(self, sample_ids: Sequence[str], annotator: str) -> int:
        """Keep what the annotator has open for longer, if half of its time is over. Returns how many were renewed."""
        now = self.clock()
        old = [sample_id for sample_id in sample_ids if not self._is_mine(sample_id, annotator, now)]
        if not old:
            return 0
        with writing(self.engine) as connection:
            return leases.renew(connection, old, annotator, now + self.lease_seconds)

    def held(self, annotator: str) -> list[str]:
        """Return what the annotator has open, the last opened first."""
        with reading(self.engine) as connection:
            return leases.held(connection, annotator, self.clock())

    def release(self, sample_id: str, annotator: str) -> None:
        """Give a sample back for others to take."""
        with writing(self.engine) as connection:
            leases.release(connection, sample_id, annotator)

    # ------------------------------------------------------------ verdicts

    def decide(
        self,
        sample_id: str,
        annotator: str,
        verdict: Verdict,
        *,
        revision: int,
        messages: Sequence[Message] | None = None,
        reason: str = "",
        client: Client = "streamlit",
        seen: int | None = None,
        adjudicate: bool = False,
    ) -> Decision:
        """Record a verdict on the revision that the annotator saw, and give the sample back.

        ``seen`` is :attr:`Item.seen`; with it, a verdict of somebody else in between is noticed even where it left the
        revision as it was. Raises UnknownSample, BadVerdict, StaleVerdict, Leased, NeedsAdjudicator.
        """
        turns = None if messages is None else tuple(messages)
        request = Request(sample_id, annotator, verdict, revision, turns, seen, adjudicate)
        if verdict == "undo":
            raise BadVerdict("an undo names the event that it takes back: call ReviewStore.undo.")
        with writing(self.engine) as connection:
            _lock(connection, sample_id)
            item = self._item(connection, sample_id, annotator)
            panel = check(connection, request, item)
            decision = self._record(connection, request, reason, client, panel)
            if verdict not in ("note", "flag"):
                leases.release(connection, sample_id, annotator)
                drop_draft(connection, sample_id, annotator)
            return decision

    def undo(self, annotator: str, sample_id: str | None = None, client: Client = "streamlit") -> Decision | None:
        """Take back the annotator's newest verdict (on one sample, if given) that still stands.

        Returns the event that was taken back, None when there is none. Raises BuiltUpon when somebody has gone on
        from it, Leased while somebody else has the sample open.
        """
        with writing(self.engine) as connection:
            target = find_undoable(connection, annotator, sample_id)
            if target is None:
                return None
            self._take_back(connection, target, annotator, client)
            return target

    def dismiss(self, event_id: str, annotator: str, client: Client = "streamlit") -> None:
        """Take back anybody's verdict by its id: how an adjudicator clears a conflict of two merged logs."""
        with writing(self.engine) as connection:
            row = connection.execute(events.selected().where(events_table.c.id == event_id)).first()
            if row is None:
                raise BadVerdict(f"no event {event_id!r} in the store. Reload the page.")
            self._take_back(connection, events.from_row(row), annotator, client)

    def _take_back(self, connection: Connection, target: Decision, annotator: str, client: Client) -> None:
        if _is_queued(connection, target.sample_id):
            _lock(connection, target.sample_id)
        others = leases.others(connection, target.sample_id, annotator, self.clock())
        if others:
            raise Leased(target.sample_id, tuple(others))
        state = fold(events.of_sample(connection, target.sample_id))[target.sample_id]
        request = Request(target.sample_id, annotator, "undo", state.revision)
        self._record(connection, request, target.id, client, 1)

    def _record(self, connection: Connection, request: Request, reason: str, client: Client, panel: int) -> Decision:
        before = events.of_sample(connection, request.sample_id)
        moment = datetime.fromtimestamp(self.clock(), UTC)
        decision = Decision(
            events.new_id(),
            request.sample_id,
            request.revision,
            request.verdict,
            request.messages,
            reason,
            request.annotator,
            client,
            events.time_after(moment, max((e.time for e in before), default=None)),
            panel,
        )
        connection.execute(insert(events_table).values(**events.to_row(decision)))
        projection.project(connection, [request.sample_id])
        return decision

    # ------------------------------------------------------------ the log

    def add_events(self, decisions: Iterable[Decision]) -> int:
        """Add events from elsewhere (the log, Label Studio); known ids are passed over. Returns how many were new."""
        decisions = list(decisions)
        if not decisions:
            return 0
        with writing(self.engine) as connection:
            one_at_a_time(connection)
            touched, new = events.merge(connection, decisions)
            projection.project(connection, touched)
            return new

    def events(self) -> list[Decision]:
        """Return every event, oldest first."""
        with reading(self.engine) as connection:
            return list(events.everything(connection))

    def history(self, sample_id: str) -> list[Decision]:
        """Return a sample's events, undone ones too, oldest first."""
        with reading(self.engine) as connection:
            return sorted(events.of_sample(connection, sample_id), key=lambda e: (e.time, e.id))

    def recent(self, annotator: str, limit: int = 20) -> list[Decision]:
        """Return the annotator's newest events, newest first."""
        with reading(self.engine) as connection:
            return events.recent(connection, annotator, limit)

    def panel_events(self) -> list[Decision]:
        """Return every event of samples that several people judge blind, undos included."""
        with reading(self.engine) as connection:
            return events.of_panels(connection)

    def rebuild(self) -> None:
        """Compute the state of every sample anew from the events."""
        with writing(self.engine) as connection:
            projection.rebuild(connection)

    def last_seq(self) -> int:
        """Return a number that grows with every event."""
        with reading(self.engine) as connection:
            return events.last_seq(connection)

    def _is_mine(self, sample_id: str, annotator: str, now: float) -> bool:
        """Say whether the annotator has the sample for half a lease more: a page drawn again then writes nothing."""
        with reading(self.engine) as connection:
            until = leases.until(connection, sample_id, annotator)
        return until is not None and until > now + self.lease_seconds / 2

    # ------------------------------------------------------------ inside a transaction

    def _item(self, connection: Connection, sample_id: str, annotator: str) -> Item:
        row = connection.execute(select(samples).where(samples.c.id == sample_id)).first()
        if row is None:
            raise UnknownSample(sample_id)
        log = events.of_sample(connection, sample_id)
        state = fold(log).get(sample_id, State())
        seen = events.last_seq_of(connection, sample_id)
        others = leases.others(connection, sample_id, annotator, self.clock())
        item = queue_table.from_body(row.body)
        return Item(item, state, projection.status_of(state), row.rank, row.panel, seen, tuple(others))


def _lock(connection: Connection, sample_id: str) -> int:
    """Keep others from this sample until our transaction ends (SQLite has one writer anyway). Returns its panel."""
    query = select(samples.c.panel).where(samples.c.id == sample_id).with_for_update()
    panel: int | None = connection.execute(query).scalar()
    if panel is None:
        raise UnknownSample(sample_id)
    return panel


def _is_queued(connection: Connection, sample_id: str) -> bool:
    return connection.execute(select(samples.c.id).where(samples.c.id == sample_id)).first() is not None
