"""The ``events`` table: events of the review log as rows, both ways. Knows nothing of states or queues."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from annotations.store.database import in_batches
from annotations.store.schema import events
from curation.record import Message, messages_from_json, messages_to_json
from curation.review.decisions import Client, Decision, earlier, ordered

_COLUMNS = [c for c in events.c if c.name != "seq"]


def new_id() -> str:
    """Return a random id for an event: 32 hexadecimal digits, unique across machines."""
    return uuid.uuid4().hex


def time_of(clock: Callable[[], float]) -> str:
    """Return a clock's time as the log writes it: UTC, ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(clock(), UTC).isoformat(timespec="milliseconds")


def time_after(now: datetime, last: str | None) -> str:
    """Return ``now`` as the log writes it, but later than ``last``.

    The fold orders by time. Two events in one millisecond, or a clock that was set back, must not reverse the order in
    which annotators saw each other's work.
    """
    text = now.astimezone(UTC).isoformat(timespec="milliseconds")
    if last is None or text > last:
        return text
    try:
        later = datetime.fromisoformat(last).astimezone(UTC) + timedelta(milliseconds=1)
    except ValueError:  # not ISO 8601; times sort as text, so a longer text is later
        return f"{last}+"
    text = later.isoformat(timespec="milliseconds")
    return text if text > last else f"{last}+"


def messages_text(messages: Sequence[Message]) -> str:
    """Return messages as the JSON text that a column keeps."""
    return json.dumps(messages_to_json(tuple(messages)), ensure_ascii=False)


def to_row(decision: Decision) -> dict[str, Any]:
    """Return the columns of one event."""
    return {
        "id": decision.id,
        "sample_id": decision.sample_id,
        "revision": decision.revision,
        "verdict": decision.verdict,
        "messages": None if decision.messages is None else messages_text(decision.messages),
        "reason": decision.reason,
        "annotator": decision.annotator,
        "client": decision.client,
        "time": decision.time,
        "panel": decision.panel,
        "after": decision.after,
        "batch": decision.batch,
        "guidelines": decision.guidelines,
        "seconds": decision.seconds,
    }


def from_row(row: Row[Any]) -> Decision:
    """Return the event that a row (selected with :func:`selected`) holds."""
    return Decision(
        id=row.id,
        sample_id=row.sample_id,
        revision=row.revision,
        verdict=row.verdict,
        messages=None if row.messages is None else messages_from_json(json.loads(row.messages)),
        reason=row.reason,
        annotator=row.annotator,
        client=row.client,
        time=row.time,
        panel=row.panel,
        after=row.after,
        batch=row.batch,
        guidelines=row.guidelines,
        seconds=row.seconds,
    )


def selected() -> Any:
    """Return a ``SELECT`` of an event's columns, without a ``WHERE``."""
    return select(*_COLUMNS)


def of_sample(connection: Connection, sample_id: str) -> list[Decision]:
    """Return a sample's events in the order in which this store received them."""
    query = selected().where(events.c.sample_id == sample_id).order_by(events.c.seq)
    return [from_row(row) for row in connection.execute(query)]


def everything(connection: Connection) -> Iterator[Decision]:
    """Yield all events, oldest first."""
    for row in connection.execute(selected().order_by(events.c.time, events.c.id)):
        yield from_row(row)


def recent(connection: Connection, annotator: str, limit: int) -> list[Decision]:
    """Return an annotator's newest events, newest first."""
    query = selected().where(events.c.annotator == annotator, events.c.client != "import")
    return [from_row(row) for row in connection.execute(query.order_by(events.c.seq.desc()).limit(limit))]


def of_panels(connection: Connection) -> list[Decision]:
    """Return every event of the samples that have a blind verdict."""
    judged = select(events.c.sample_id).where(events.c.panel > 1)
    query = selected().where(events.c.sample_id.in_(judged)).order_by(events.c.time, events.c.id)
    return [from_row(row) for row in connection.execute(query)]


def by_id(connection: Connection, event_id: str) -> Decision | None:
    """Return the event with this id, None where there is none."""
    row = connection.execute(selected().where(events.c.id == event_id)).first()
    return None if row is None else from_row(row)


def seen_until(connection: Connection, sample_id: str, seq: int) -> list[Decision]:
    """Return a sample's events up to a row's number: what a screen that was drawn then could show."""
    query = selected().where(events.c.sample_id == sample_id, events.c.seq <= seq).order_by(events.c.seq)
    return [from_row(row) for row in connection.execute(query)]


def last_seq(connection: Connection, without: Client | None = None) -> int:
    """Return the number of the newest row that another client than ``without`` made; 0 where there is none."""
    query = select(func.max(events.c.seq))
    if without is not None:
        query = query.where(events.c.client != without)
    return connection.execute(query).scalar() or 0


def last_seq_of(connection: Connection, sample_id: str) -> int:
    """Return the number of a sample's newest row, 0 where it has none."""
    return connection.execute(select(func.max(events.c.seq)).where(events.c.sample_id == sample_id)).scalar() or 0


def merge(connection: Connection, decisions: Iterable[Decision]) -> tuple[set[str], int]:
    """Add the events that are not there yet. Returns the ids of the samples they touch and how many were new.

    Of two events with one id the earlier stands, as in ``curation.review.decisions.ordered``: import approves a sample
    under the same id in every clone. This is the one case in which a row is replaced.
    """
    incoming = {d.id: d for d in ordered(decisions)}
    known = {d.id: d for d in _known(connection, list(incoming))}
    new = [d for d in incoming.values() if d.id not in known]
    touched = {d.sample_id for d in new}
    if new:
        connection.execute(insert(events), [to_row(d) for d in new])
    for decision in incoming.values():
        there = known.get(decision.id)
        if there is not None and there != decision and earlier(there, decision) == decision:
            connection.execute(update(events).where(events.c.id == decision.id).values(**to_row(decision)))
            touched |= {there.sample_id, decision.sample_id}
    return touched, len(new)


def _known(connection: Connection, ids: list[str]) -> Iterator[Decision]:
    for some in in_batches(ids):
        query = selected().where(events.c.id.in_(some))
        for row in connection.execute(query):
            yield from_row(row)
