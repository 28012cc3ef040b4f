"""The rules that a verdict must pass, so that two people cannot lose each other's work. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, exists, or_, select

from annotations.store import events_table
from annotations.store.schema import events as table
from annotations.store.types import BadVerdict, BuiltUpon, Item, Leased, NeedsAdjudicator, StaleVerdict
from curation.record import Message
from curation.review.decisions import DECISIVE, Decision, Verdict, built_upon


@dataclass(frozen=True, slots=True)
class Request:
    """A verdict that an annotator asks for; ``revision`` and ``seen`` are what their screen showed."""

    sample_id: str
    annotator: str
    verdict: Verdict
    revision: int
    messages: tuple[Message, ...] | None = None
    seen: int | None = None
    adjudicate: bool = False


def check(connection: Connection, request: Request, item: Item) -> int:
    """Return the panel to record with the event. Raises BadVerdict, Leased, StaleVerdict or NeedsAdjudicator.

    ``item`` is the sample as it is now, its row locked.
    """
    if not request.annotator.strip():
        raise BadVerdict("a verdict needs the annotator's name.")
    if (request.messages is None) == (request.verdict == "rewrite"):
        raise BadVerdict("new messages and the verdict `rewrite` go together: give both or neither.")
    if request.messages is not None and not request.messages:
        raise BadVerdict("a rewrite needs at least one turn. To drop the sample, reject it.")
    if request.verdict not in DECISIVE:
        return 1
    # The members of a panel judge at the same time; a lease keeps out anyone beyond them.
    if len(item.holders) >= item.panel:
        raise Leased(item.id, item.holders)
    blind = item.panel > 1 and item.state.status == "pending" and not request.adjudicate
    by = _decided_since(connection, request, blind)
    if by is not None or request.revision != item.state.revision:
        raise StaleVerdict(item, by or "another annotator")
    if item.state.disputed and not request.adjudicate and request.annotator not in item.state.voters:
        raise NeedsAdjudicator(item.id)
    return item.panel if blind else 1


def _decided_since(connection: Connection, request: Request, blind: bool) -> str | None:
    """Return who has decided, or undone a decision, since the annotator looked. Others' blind verdicts do not count.

    It may be the annotator: a key pressed twice must not make two verdicts.
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


def find_undoable(connection: Connection, annotator: str, sample_id: str | None) -> Decision | None:
    """Return the annotator's newest event that still stands. Raises BuiltUpon if others have continued from it."""
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
        .limit(1)
    )
    if sample_id is not None:
        query = query.where(table.c.sample_id == sample_id)
    row = connection.execute(query).first()
    if row is None:
        return None
    target = events_table.from_row(row)
    if target.verdict == "rewrite":
        by = built_upon(target, events_table.of_sample(connection, target.sample_id))
        if by is not None:
            raise BuiltUpon(target, by)
    return target
