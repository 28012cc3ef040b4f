"""Gold items: samples with a known verdict on a text, mixed blind into an annotator's queue to see how they judge.

A :class:`GoldStore` is a review store whose queue does the mixing. What it hands out looks like any open sample, and
takes any verdict; the answer is kept beside the events and never changes a sample. Gold items and answers lie in the
store alone.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from annotations.store import events_table, queries, rules
from annotations.store.database import reading, writing
from annotations.store.queries import Filters
from annotations.store.review_queue import ReviewQueue, read_item
from annotations.store.review_store import ReviewStore
from annotations.store.schema import events, gold, gold_asked, samples
from annotations.store.types import Batch, Item, StaleVerdict
from curation.cleaning.typed_text import clean_typed
from curation.record import Message, messages_from_json
from curation.review.decisions import Client, Decision, State, Verdict, line, parse


@dataclass(slots=True)
class Mixing:
    """How many of an annotator's next samples are gold items (0 to 1), and the chance that decides it."""

    share: float = 0.0
    chance: Callable[[], float] = random.random


@dataclass(frozen=True)
class GoldQueue(ReviewQueue):
    """A queue that offers gold items among the open samples."""

    mixing: Mixing = field(default_factory=Mixing)

    def next_item(self, annotator: str, filters: Filters | None = None, after: int | None = None) -> Item | None:
        """Lease the next sample to the annotator, or offer them a gold item in its place."""
        filters = filters or Filters()
        usual = filters.status == "open" and filters.queue == ""
        if usual and self.mixing.share and self.mixing.chance() < self.mixing.share:
            item = self._offer(annotator, filters, after)
            if item is not None:
                return item
        return super().next_item(annotator, filters, after)

    def open_item(self, sample_id: str, annotator: str) -> Item:
        """Return one sample, leased to the annotator unless others have it open. Raises UnknownSample."""
        with reading(self.engine) as connection:
            row = asked(connection, sample_id, annotator)
            waiting = None if row is not None else self._waits(connection, sample_id, annotator)
        if waiting is not None:
            with writing(self.engine) as connection:
                row = _ask(connection, sample_id, annotator, waiting, self.clock)
        if row is None:
            return super().open_item(sample_id, annotator)
        with reading(self.engine) as connection:
            return _masked(connection, row, annotator, self.clock())

    def _waits(self, connection: Connection, sample_id: str, annotator: str) -> int | None:
        """Return the rank of an undecided gold item that the annotator has not answered, None for any other sample.

        They have come by a link or a wide filter; their verdict must not decide it either.
        """
        answered = exists().where(gold_asked.c.sample_id == sample_id, gold_asked.c.annotator == annotator)
        query = select(samples.c.rank).join(gold, gold.c.sample_id == samples.c.id)
        query = query.where(samples.c.id == sample_id, samples.c.status == "pending", ~answered)
        rank: int | None = connection.execute(query).scalar()
        return rank

    def item(self, sample_id: str, annotator: str = "") -> Item:
        """Return one sample without leasing it. Raises UnknownSample."""
        with reading(self.engine) as connection:
            row = asked(connection, sample_id, annotator)
            if row is not None:
                return _masked(connection, row, annotator, self.clock())
        return super().item(sample_id, annotator)

    def _offer(self, annotator: str, filters: Filters, after: int | None) -> Item | None:
        """Ask the annotator about a gold item that fits the filters and that they have not seen; None without one."""
        answered = exists().where(
            gold_asked.c.sample_id == gold.c.sample_id,
            gold_asked.c.annotator == annotator,
            gold_asked.c.event.is_not(None),
        )
        judged = exists().where(events.c.sample_id == gold.c.sample_id, events.c.annotator == annotator)
        query = select(gold.c.sample_id).join(samples, samples.c.id == gold.c.sample_id)
        with writing(self.engine) as connection:
            fits = queries.conditions(connection, replace(filters, status="all", queue="all"), annotator)
            ids = [row.sample_id for row in connection.execute(query.where(*fits, ~answered, ~judged))]
            if not ids:
                return None
            # An order of each annotator's own, so that two who sit side by side do not notice.
            chosen = min(ids, key=lambda sample: hashlib.sha256(f"{annotator} {sample}".encode()).digest())
            # The place in the queue is that of the sample before: the annotator continues behind it.
            row = _ask(connection, chosen, annotator, -1 if after is None else after, self.clock)
            return _masked(connection, row, annotator, self.clock())


class GoldStore(ReviewStore):
    """A review store whose queue mixes in gold items and that keeps the answers to them apart from the events."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self.mixing = Mixing()
        self.queue = GoldQueue(self.engine, self.clock, self.queue.lease_seconds, mixing=self.mixing)

    def decide(self, sample_id: str, annotator: str, verdict: Verdict, **given: Any) -> Decision:
        """Record a verdict as :meth:`ReviewStore.decide`; on a gold item, keep it as an answer instead."""
        if verdict in ("note", "flag", "undo") or given.get("adjudicate"):
            return super().decide(sample_id, annotator, verdict, **given)
        with writing(self.engine) as connection:
            row = asked(connection, sample_id, annotator, answered=given.get("event_id"))
            if row is not None:
                return self._answer(connection, row, annotator, verdict, **given)
        return super().decide(sample_id, annotator, verdict, **given)

    def decide_many(self, items: Sequence[Item], annotator: str, *arguments: Any, **given: Any) -> Batch:
        """Record verdicts as :meth:`ReviewStore.decide_many`; gold items that wait for an answer are left alone."""
        with reading(self.engine) as connection:
            usual = [item for item in items if asked(connection, item.id, annotator) is None]
        return super().decide_many(usual, annotator, *arguments, **given)

    def take_back(
        self, annotator: str, sample_id: str | None = None, client: Client = "streamlit"
    ) -> tuple[Decision, ...]:
        """Undo the annotator's newest verdict as :meth:`ReviewStore.take_back`, or their answer if that is newer."""
        with writing(self.engine) as connection:
            answer = max(_answers(connection, annotator, sample_id), key=lambda d: d.time, default=None)
            others = rules.find_undoable(connection, annotator, sample_id)
            if answer is not None and all(event.time < answer.time for event in others):
                mine = (gold_asked.c.sample_id == answer.sample_id, gold_asked.c.annotator == annotator)
                connection.execute(update(gold_asked).where(*mine).values(event=None))
                return (answer,)
        return super().take_back(annotator, sample_id, client)

    def _answer(
        self,
        connection: Connection,
        row: Row[Any],
        annotator: str,
        verdict: Verdict,
        *,
        revision: int,
        messages: Sequence[Message] | None = None,
        reason: str = "",
        client: Client = "streamlit",
        event_id: str | None = None,
        seconds: float = 0.0,
        **_: Any,
    ) -> Decision:
        if row.event is not None:
            return parse(row.event)  # the client has sent it before
        request = rules.Request(
            sample_id=row.sample_id,
            annotator=annotator,
            verdict=verdict,
            revision=revision,
            messages=None if messages is None else clean_typed(messages)[0],
            reason=reason,
            client=client,
            event_id=event_id,
            seconds=seconds,
        )
        rules.check_form(request)
        if revision != row.revision:
            raise StaleVerdict(_masked(connection, row, annotator, self.clock()), "another annotator")
        answer = Decision(
            id=event_id or events_table.new_id(),
            sample_id=row.sample_id,
            revision=revision,
            verdict=verdict,
            messages=request.messages,
            reason=reason,
            annotator=annotator,
            client=client,
            time=events_table.time_of(self.clock),
            guidelines=self.guidelines,
            seconds=round(seconds, 1),
        )
        mine = (gold_asked.c.sample_id == row.sample_id, gold_asked.c.annotator == annotator)
        connection.execute(update(gold_asked).where(*mine).values(event=line(answer)))
        return answer


def _ask(connection: Connection, sample_id: str, annotator: str, rank: int, clock: Callable[[], float]) -> Row[Any]:
    """Note that the annotator is asked about a gold item, and return it."""
    connection.execute(
        delete(gold_asked).where(gold_asked.c.sample_id == sample_id, gold_asked.c.annotator == annotator)
    )
    asking = {"sample_id": sample_id, "annotator": annotator, "rank": rank, "time": events_table.time_of(clock)}
    connection.execute(insert(gold_asked).values(**asking))
    row: Row[Any] = asked(connection, sample_id, annotator)
    return row


def asked(connection: Connection, sample_id: str, annotator: str, answered: str | None = None) -> Any:
    """Return the gold item that the annotator was asked about and has not answered, None for any other sample.

    An answer with the id ``answered`` is returned too: a client may send a verdict twice.
    """
    query = (
        select(gold, gold_asked.c.rank, gold_asked.c.event)
        .join(gold_asked, gold_asked.c.sample_id == gold.c.sample_id)
        .where(gold.c.sample_id == sample_id, gold_asked.c.annotator == annotator)
    )
    row = connection.execute(query).first()
    if row is None or row.event is None:
        return row
    return row if answered is not None and parse(row.event).id == answered else None


def is_asked(store: ReviewStore, sample_id: str, annotator: str) -> bool:
    """Return whether the sample is a gold item that waits for the annotator: its history would tell them."""
    with reading(store.engine) as connection:
        return asked(connection, sample_id, annotator) is not None


def _masked(connection: Connection, row: Row[Any], annotator: str, now: float) -> Item:
    """Return a gold item as an open sample that no one has judged, with the text that the known verdict is about."""
    item = read_item(connection, row.sample_id, annotator, now)
    messages = messages_from_json(json.loads(row.messages))
    return replace(
        item,
        state=State(revision=row.revision, messages=None if messages == item.sample.messages else messages),
        status="pending",
        rank=row.rank,
        holders=(),
    )


def _answers(connection: Connection, annotator: str, sample_id: str | None) -> Iterator[Decision]:
    query = select(gold_asked.c.event).where(gold_asked.c.annotator == annotator, gold_asked.c.event.is_not(None))
    if sample_id is not None:
        query = query.where(gold_asked.c.sample_id == sample_id)
    for row in connection.execute(query):
        yield parse(row.event)
