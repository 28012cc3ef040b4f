"""The rules that a verdict must pass, so that two people cannot lose each other's work. Reads only."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from sqlalchemy import Connection, exists, or_, select

from annotations.store import events_table
from annotations.store.schema import events as table
from annotations.store.types import BadVerdict, BuiltUpon, Item, Leased, NeedsAdjudicator, StaleVerdict
from curation.record import Message
from curation.review.decisions import DECISIVE, Client, Decision, Verdict, built_upon, in_sight

_EVENT_ID = re.compile(r"[^\s\x00]{1,100}")


@dataclass(frozen=True, slots=True)
class Request:
    """A verdict that an annotator asks for; ``revision`` and ``seen`` are what their screen showed."""

    sample_id: str
    annotator: str
    verdict: Verdict
    revision: int
    messages: tuple[Message, ...] | None = None
    seen: int | None = None
    reason: str = ""
    client: Client = "streamlit"
    adjudicate: bool = False
    event_id: str | None = None
    seconds: float = 0.0
    batch: str = ""
    uses_draft: bool = True


def check(connection: Connection, request: Request, item: Item) -> int:
    """Return the panel to record with the event. Raises BadVerdict, Leased, StaleVerdict or NeedsAdjudicator.

    ``item`` is the sample as it is now, its row locked.
    """
    check_form(request)
    if request.verdict not in DECISIVE:
        return 1
    # The members of a panel judge at the same time; a lease keeps out anyone beyond them.
    if len(item.holders) >= item.panel:
        raise Leased(item.id, item.holders)
    blind = item.panel > 1 and item.state.status == "pending" and not request.adjudicate
    by = _decided_since(connection, request, blind)
    if by is not None or request.revision != item.state.revision:
        raise StaleVerdict(item, by or "another annotator", same=by == request.annotator)
    if item.state.disputed and not request.adjudicate and request.annotator not in item.state.voters:
        raise NeedsAdjudicator(item.id)
    return item.panel if blind else 1


def check_form(request: Request) -> None:
    """Raise BadVerdict for a request that no state of its sample could make right."""
    if not request.annotator.strip():
        raise BadVerdict("a verdict needs the annotator's name.")
    if (request.messages is None) == (request.verdict == "rewrite"):
        raise BadVerdict("new messages and the verdict `rewrite` go together: give both or neither.")
    if request.event_id is not None and not _EVENT_ID.fullmatch(request.event_id):
        raise BadVerdict(f"{request.event_id!r} cannot be an event's id. Expected 1 to 100 characters without spaces.")
    if not (math.isfinite(request.seconds) and request.seconds >= 0):
        raise BadVerdict(f"{request.seconds!r} is not a time. Expected seconds, from 0 on.")
    if request.messages is not None:
        _check_turns(request.messages)


def _check_turns(messages: tuple[Message, ...]) -> None:
    if not messages:
        raise BadVerdict("a rewrite needs at least one turn. To drop the sample, reject it.")
    for number, message in enumerate(messages, 1):
        if not message.content:
            raise BadVerdict(f"turn {number} has no visible characters. Write its text, or remove the turn.")
        try:
            f"{message.content}{message.name}".encode()
        except UnicodeEncodeError:
            raise BadVerdict(f"turn {number} holds half of a character. Delete it and type it again.") from None


def recorded_as(connection: Connection, request: Request) -> Decision | None:
    """Return the event that a client's earlier try has recorded under this id, None where there is none.

    Raises BadVerdict where the id belongs to an event with other content.
    """
    if request.event_id is None:
        return None
    recorded = events_table.by_id(connection, request.event_id)
    if recorded is None:
        return None
    for name in ("sample_id", "annotator", "verdict", "revision", "messages", "reason", "client"):
        asked, there = getattr(request, name), getattr(recorded, name)
        if asked != there:
            raise BadVerdict(
                f"event {recorded.id} is recorded already, with another {name}: {there!r} instead of {asked!r}. "
                "A new verdict needs a new id."
            )
    return recorded


def sight(connection: Connection, request: Request, blind: bool) -> str | None:
    """Return an event's ``after``: what the annotator's screen could show of the sample's verdicts.

    A blind verdict, or its undo, was made without the other annotators' blind ones, although the store has them.
    """
    if request.verdict == "undo":
        visible = events_table.of_sample(connection, request.sample_id)
    elif request.verdict in DECISIVE and request.seen is not None:
        visible = events_table.seen_until(connection, request.sample_id, request.seen)
    else:
        return None
    if blind:
        hidden = {e.id for e in visible if e.panel > 1 and e.annotator != request.annotator}
        visible = [e for e in visible if e.id not in hidden and not (e.verdict == "undo" and e.reason in hidden)]
    return in_sight(visible)


def _decided_since(connection: Connection, request: Request, blind: bool) -> str | None:
    """Return who has decided, or undone a decision, since the annotator looked. Others' blind verdicts do not count.

    It may be the annotator, in another tab.
    """
    if request.seen is None:
        return None
    query = select(table.c.annotator).where(
        table.c.sample_id == request.sample_id,
        table.c.seq > request.seen,
        table.c.verdict.in_((*DECISIVE, "undo")),
    )
    if blind:
        query = query.where(or_(table.c.panel == 1, table.c.annotator == request.annotator))
    found: str | None = connection.execute(query.order_by(table.c.seq.desc())).scalar()
    return found


def find_undoable(connection: Connection, annotator: str, sample_id: str | None) -> list[Decision]:
    """Return the annotator's newest event that still stands, with those of its batch that stand too, newest first."""
    undo = table.alias()
    query = (
        events_table.selected()
        .where(
            table.c.annotator == annotator,
            table.c.verdict != "undo",
            table.c.client != "import",
            ~exists().where(undo.c.verdict == "undo", undo.c.reason == table.c.id),
        )
        .order_by(table.c.seq.desc())
    )
    newest = query.limit(1) if sample_id is None else query.where(table.c.sample_id == sample_id).limit(1)
    row = connection.execute(newest).first()
    if row is None:
        return []
    if not row.batch:
        return [events_table.from_row(row)]
    return [events_table.from_row(each) for each in connection.execute(query.where(table.c.batch == row.batch))]


def check_undoable(connection: Connection, target: Decision) -> None:
    """Raise BuiltUpon if another annotator has continued from a rewrite."""
    if target.verdict == "rewrite":
        by = built_upon(target, events_table.of_sample(connection, target.sample_id))
        if by is not None:
            raise BuiltUpon(target, by)
