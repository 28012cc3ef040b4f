"""The review store: every verdict is an event, everything else follows from the events.

Comes in: verdicts. Goes out: what became of them. The parts of the store each have a file: ``store.queue``
(``review_queue.py``), ``store.log`` (``event_log.py``), ``store.people``, ``store.drafts`` and ``store.meta``
(``side_tables.py``), ``store.statistics``. Knows nothing of pages, of Label Studio, or of the log's file
(``log_sync.py`` does).

Each public method is one transaction: when it returns, everything is on the disk; when it raises, nothing is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, insert

from annotations.store import events_table, leases, projection
from annotations.store.database import open_engine, writing
from annotations.store.event_log import EventLog
from annotations.store.review_queue import ReviewQueue, is_queued, lock_sample, read_item
from annotations.store.rules import Request, check, find_undoable
from annotations.store.schema import events
from annotations.store.side_tables import Drafts, Meta, People, drop_draft
from annotations.store.statistics import Statistics
from annotations.store.types import BadVerdict, Leased
from curation.record import Message
from curation.review.decisions import Client, Decision, Verdict, fold

DEFAULT_URL = "sqlite:///datasets/review.db"
LEASE_SECONDS = 300.0


class ReviewStore:
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
        self.clock = clock
        self.queue = ReviewQueue(self.engine, clock, lease_seconds)
        self.log = EventLog(self.engine)
        self.people = People(self.engine, clock)
        self.drafts = Drafts(self.engine, clock)
        self.meta = Meta(self.engine)
        self.statistics = Statistics(self.engine)

    def close(self) -> None:
        """Close the connections. A store that is used again opens new ones."""
        self.engine.dispose()

    def rebuild(self) -> None:
        """Compute the state of every sample again from the events."""
        with writing(self.engine) as connection:
            projection.rebuild(connection)

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
        """Record a verdict on the revision that the annotator saw, and end their lease.

        ``seen`` is :attr:`Item.seen`; with it, another annotator's verdict in between is noticed even where it left
        the revision as it was. Raises UnknownSample, BadVerdict, StaleVerdict, Leased, NeedsAdjudicator.
        """
        request = Request(
            sample_id=sample_id,
            annotator=annotator,
            verdict=verdict,
            revision=revision,
            messages=None if messages is None else tuple(messages),
            seen=seen,
            adjudicate=adjudicate,
        )
        if verdict == "undo":
            raise BadVerdict("an undo names the event to undo: call ReviewStore.undo.")
        with writing(self.engine) as connection:
            lock_sample(connection, sample_id)
            item = read_item(connection, sample_id, annotator, self.clock())
            panel = check(connection, request, item)
            decision = self._record(connection, request, reason, client, panel)
            if verdict not in ("note", "flag"):
                leases.release(connection, sample_id, annotator)
                drop_draft(connection, sample_id, annotator)
            return decision

    def undo(self, annotator: str, sample_id: str | None = None, client: Client = "streamlit") -> Decision | None:
        """Undo the annotator's newest verdict (on one sample, if given) that still stands.

        Returns the event that was undone, None when there is none. Raises BuiltUpon when another annotator has
        continued from it, Leased while another annotator has the sample open.
        """
        with writing(self.engine) as connection:
            target = find_undoable(connection, annotator, sample_id)
            if target is None:
                return None
            self._undo(connection, target, annotator, client)
            return target

    def dismiss(self, event_id: str, annotator: str, client: Client = "streamlit") -> None:
        """Undo anyone's verdict by its id: an adjudicator clears a conflict of two merged logs this way."""
        with writing(self.engine) as connection:
            row = connection.execute(events_table.selected().where(events.c.id == event_id)).first()
            if row is None:
                raise BadVerdict(f"no event {event_id!r} in the store. Reload the page.")
            self._undo(connection, events_table.from_row(row), annotator, client)

    def _undo(self, connection: Connection, target: Decision, annotator: str, client: Client) -> None:
        if is_queued(connection, target.sample_id):
            lock_sample(connection, target.sample_id)
        others = leases.others(connection, target.sample_id, annotator, self.clock())
        if others:
            raise Leased(target.sample_id, tuple(others))
        state = fold(events_table.of_sample(connection, target.sample_id))[target.sample_id]
        request = Request(sample_id=target.sample_id, annotator=annotator, verdict="undo", revision=state.revision)
        self._record(connection, request, target.id, client, 1)

    def _record(self, connection: Connection, request: Request, reason: str, client: Client, panel: int) -> Decision:
        before = events_table.of_sample(connection, request.sample_id)
        moment = datetime.fromtimestamp(self.clock(), UTC)
        decision = Decision(
            id=events_table.new_id(),
            sample_id=request.sample_id,
            revision=request.revision,
            verdict=request.verdict,
            messages=request.messages,
            reason=reason,
            annotator=request.annotator,
            client=client,
            time=events_table.time_after(moment, max((e.time for e in before), default=None)),
            panel=panel,
        )
        connection.execute(insert(events).values(**events_table.to_row(decision)))
        projection.project(connection, [request.sample_id])
        return decision
