"""The review store: every verdict is an event, everything else follows from the events.

Comes in: verdicts. Goes out: what became of them. The parts of the store each have a file: ``store.queue``
(``review_queue.py``), ``store.log`` (``event_log.py``), ``store.people``, ``store.drafts`` and ``store.meta``
(``side_tables.py``), ``store.statistics``. Knows nothing of pages, of Label Studio, or of the log's file
(``log_sync.py`` does).

Each public method is one transaction: when it returns, everything is on the disk; when it raises, nothing is.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, insert

from annotations.store import events_table, leases, projection
from annotations.store.database import open_engine, reading, writing
from annotations.store.event_log import EventLog
from annotations.store.review_queue import ReviewQueue, lock_sample, lock_samples, panel_of, read_item
from annotations.store.rules import Request, check, check_undoable, find_undoable, recorded_as, sight
from annotations.store.schema import events
from annotations.store.side_tables import Drafts, Meta, People, drop_draft, find_draft, put_draft
from annotations.store.statistics import Statistics
from annotations.store.types import (
    BadVerdict,
    Batch,
    BuiltUpon,
    Draft,
    Item,
    Leased,
    NeedsAdjudicator,
    StaleVerdict,
    UnknownSample,
)
from curation.cleaning.typed_text import clean_typed
from curation.errors import InosukeError
from curation.record import Message
from curation.review.decisions import Client, Decision, Verdict, fold

DEFAULT_URL = "sqlite:///datasets/review.db"
LEASE_SECONDS = 300.0
# What one sample of a batch may answer; the others are decided all the same.
REFUSALS = (BadVerdict, Leased, NeedsAdjudicator, StaleVerdict, UnknownSample)


class ReviewStore:
    """A review store at a database URL: ``sqlite:///file`` or ``postgresql+psycopg://user:password@host/name``.

    Opening one creates or migrates its tables. Raises StoreError when the database cannot be used. ``clock`` returns
    seconds since 1970 (tests give their own). ``guidelines`` is the version of the guidelines that annotators have
    before them; each verdict records it.
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
        self.guidelines = ""

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
        event_id: str | None = None,
        seconds: float = 0.0,
        batch: str = "",
        uses_draft: bool = True,
    ) -> Decision:
        """Record a verdict on the revision that the annotator saw, and end their lease.

        ``messages`` are cleaned as imported text is (:mod:`curation.cleaning.typed_text`). ``seen`` is
        :attr:`Item.seen`; with it, another annotator's verdict in between is noticed even where it left the revision
        as it was. ``event_id`` is chosen by the client: the same verdict with the same id again returns the event that
        is recorded, so a client may retry. ``seconds`` is how long the annotator worked on the sample. Events of one
        ``batch`` are undone as one. A rewrite ends the annotator's draft, unless it was made without it
        (``uses_draft``): a restored revision, another annotator's version. Raises UnknownSample, BadVerdict,
        StaleVerdict, Leased, NeedsAdjudicator.
        """
        request = Request(
            sample_id=sample_id,
            annotator=annotator,
            verdict=verdict,
            revision=revision,
            messages=None if messages is None else clean_typed(messages)[0],
            seen=seen,
            reason=reason,
            client=client,
            adjudicate=adjudicate,
            event_id=event_id,
            seconds=seconds,
            batch=batch,
            uses_draft=uses_draft and not adjudicate,
        )
        with writing(self.engine) as connection:
            lock_sample(connection, sample_id)
            decision, new = self._decide(connection, request)
            if new:
                projection.project(connection, [sample_id])
            return decision

    def decide_many(
        self,
        items: Sequence[Item],
        annotator: str,
        verdict: Verdict | Mapping[str, Verdict],
        *,
        messages: Mapping[str, Sequence[Message]] | None = None,
        reason: str | Mapping[str, str] = "",
        client: Client = "streamlit",
        adjudicate: bool = False,
        batch: str | None = None,
    ) -> Batch:
        """Record verdicts on many samples as one action, in one transaction, to be undone as one.

        ``items`` are the samples as the screen showed them. ``verdict`` and ``reason`` may differ by sample id;
        ``messages`` holds the new turns of those to rewrite. A sample that refuses its verdict (another annotator has
        it open or has decided since) is left as it is and named in :attr:`Batch.refused`. A client that repeats a
        ``batch`` of its own gets the recorded events. No draft is ended. Raises BadVerdict for a batch without a name.
        """
        name = events_table.new_id() if batch is None else batch
        if not name.strip():
            raise BadVerdict("a batch needs a name. Give none to have one made.")
        decisions: list[Decision] = []
        refused: dict[str, InosukeError] = {}
        changed: list[str] = []
        with writing(self.engine) as connection:
            lock_samples(connection, [item.id for item in items])
            for item in items:
                turns = (messages or {}).get(item.id)
                request = Request(
                    sample_id=item.id,
                    annotator=annotator,
                    verdict=verdict if isinstance(verdict, str) else verdict[item.id],
                    revision=item.state.revision,
                    messages=None if turns is None else clean_typed(turns)[0],
                    seen=item.seen,
                    reason=reason if isinstance(reason, str) else reason.get(item.id, ""),
                    client=client,
                    adjudicate=adjudicate,
                    event_id=hashlib.sha256(f"{name} {item.id}".encode()).hexdigest()[:32],
                    batch=name,
                    uses_draft=False,
                )
                try:
                    decision, new = self._decide(connection, request)
                except REFUSALS as error:
                    refused[item.id] = error
                    continue
                decisions.append(decision)
                changed += [item.id] if new else []
            projection.project(connection, changed)
        return Batch(name, tuple(decisions), refused)

    def _decide(self, connection: Connection, request: Request) -> tuple[Decision, bool]:
        """Return the event of a verdict, and whether it is new. The sample's row is locked."""
        if request.verdict == "undo":
            raise BadVerdict("an undo names the event to undo: call ReviewStore.undo.")
        recorded = recorded_as(connection, request)
        if recorded is not None:
            return recorded, False
        item = read_item(connection, request.sample_id, request.annotator, self.clock())
        panel = check(connection, request, item)
        decision = self._record(connection, request, panel, panel > 1)
        if request.verdict not in ("note", "flag"):
            leases.release(connection, request.sample_id, request.annotator)
        if request.messages is not None:
            draft = find_draft(connection, request.sample_id, request.annotator)
            if draft is not None and (request.uses_draft or clean_typed(draft.messages)[0] == request.messages):
                drop_draft(connection, request.sample_id, request.annotator)
        return decision, True

    # ------------------------------------------------------------ undo

    def undo(self, annotator: str, sample_id: str | None = None, client: Client = "streamlit") -> Decision | None:
        """Undo the annotator's newest verdict (on one sample, if given) that still stands, and its batch with it.

        Returns the newest event that was undone, None when there is none; :meth:`take_back` returns all of a batch.
        Raises BuiltUpon when another annotator has continued from it, Leased while another annotator has the sample
        open.
        """
        return next(iter(self.take_back(annotator, sample_id, client)), None)

    def undoable(self, annotator: str) -> Decision | None:
        """Return the annotator's newest verdict that still stands, which :meth:`undo` would undo; None for none."""
        with reading(self.engine) as connection:
            return next(iter(find_undoable(connection, annotator, None)), None)

    def take_back(
        self, annotator: str, sample_id: str | None = None, client: Client = "streamlit"
    ) -> tuple[Decision, ...]:
        """Undo as :meth:`undo` does, and return every event that was undone, newest first.

        The text of a rewrite becomes its annotator's draft again, unless a newer draft is there; a batch of rewrites
        was not typed, so it leaves no drafts. Of a batch, samples that another annotator has open or has continued
        from stay as they are; where all of them do, it raises as :meth:`undo`.
        """
        with writing(self.engine) as connection:
            targets = find_undoable(connection, annotator, sample_id)
            lock_samples(connection, [target.sample_id for target in targets])
            undone: list[Decision] = []
            refusals: list[InosukeError] = []
            for target in targets:
                try:
                    check_undoable(connection, target)
                    self._undo(connection, target, annotator, client)
                except (BuiltUpon, Leased) as error:
                    refusals.append(error)
                    continue
                undone.append(target)
            if refusals and not undone:
                raise refusals[0]
            projection.project(connection, [target.sample_id for target in undone])
            for target in undone:
                if target.verdict == "rewrite" and not target.batch and target.reason != "restored":
                    self._draft_again(connection, target)
            return tuple(undone)

    def dismiss(self, event_id: str, annotator: str, client: Client = "streamlit") -> None:
        """Undo anyone's verdict by its id: an adjudicator clears a conflict of two merged logs this way."""
        with writing(self.engine) as connection:
            target = events_table.by_id(connection, event_id)
            if target is None:
                raise BadVerdict(f"no event {event_id!r} in the store. Reload the page.")
            lock_samples(connection, [target.sample_id])
            self._undo(connection, target, annotator, client)
            projection.project(connection, [target.sample_id])

    def _undo(self, connection: Connection, target: Decision, annotator: str, client: Client) -> None:
        others = leases.others(connection, target.sample_id, annotator, self.clock())
        # A panel's members have the sample open at the same time; a blind verdict is its annotator's own.
        panel = panel_of(connection, target.sample_id) if target.panel > 1 else 1
        if len(others) >= panel:
            raise Leased(target.sample_id, tuple(others))
        state = fold(events_table.of_sample(connection, target.sample_id))[target.sample_id]
        request = Request(
            sample_id=target.sample_id,
            annotator=annotator,
            verdict="undo",
            revision=state.revision,
            reason=target.id,
            client=client,
            batch=target.batch,
        )
        self._record(connection, request, 1, target.panel > 1)

    def _draft_again(self, connection: Connection, target: Decision) -> None:
        if target.messages is None or find_draft(connection, target.sample_id, target.annotator) is not None:
            return
        state = fold(events_table.of_sample(connection, target.sample_id))[target.sample_id]
        draft = Draft(messages=target.messages, revision=state.revision, time=events_table.time_of(self.clock))
        put_draft(connection, target.sample_id, target.annotator, draft)

    def _record(self, connection: Connection, request: Request, panel: int, blind: bool) -> Decision:
        """Write an event. The caller projects its sample."""
        before = events_table.of_sample(connection, request.sample_id)
        moment = datetime.fromtimestamp(self.clock(), UTC)
        decision = Decision(
            id=request.event_id or events_table.new_id(),
            sample_id=request.sample_id,
            revision=request.revision,
            verdict=request.verdict,
            messages=request.messages,
            reason=request.reason,
            annotator=request.annotator,
            client=request.client,
            time=events_table.time_after(moment, max((e.time for e in before), default=None)),
            panel=panel,
            after=sight(connection, request, blind),
            batch=request.batch,
            guidelines=self.guidelines,
            seconds=round(request.seconds, 1),
        )
        connection.execute(insert(events).values(**events_table.to_row(decision)))
        return decision
