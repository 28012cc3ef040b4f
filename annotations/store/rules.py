"""May this verdict be made? The rules that keep two people from losing each other's work; no row is written here."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, exists, or_, select

from annotations.store import events
from annotations.store.schema import events as table
from annotations.store.types import BadVerdict, BuiltUpon, Item, Leased, NeedsAdjudicator, StaleVerdict
from curation.record import Message
from curation.review.decisions import Decision, Verdict, standing

# Verdicts that settle what becomes of a sample; the others only say something about it.
DECISIVE = ("approve", "reject", "rewrite")


@dataclass(frozen=True, slots=True)
class Request:
    """A verdict as somebody asks for it; ``revision`` and ``seen`` say what was on their screen."""

    sample_id: str
    annotator: str
    verdict: Verdict
    revision: int
    messages: tuple[Message, ...] | None = None
    seen: int | None = None
    adjudicate: bool = False


def check(connection: Connection, request: Request, item: Item) -> int:
    """Return the panel that the event is to carry. Raises the reason why the verdict cannot be made.

    ``item`` is the sample as it is now, its row locked.
    """
    if not request.annotator.strip():
        raise BadVerdict("a verdict needs the annotator's name.")
    if (request.messages is None) == (request.verdict == "rewrite"):
        raise BadVerdict("new messages and the verdict `rewrite` go together, neither without the other.")
    if request.messages is not None and not request.messages:
        raise BadVerdict("a rewrite without a turn is no sample. Reject it instead.")
    if request.verdict not in DECISIVE:
        return 1
    # A panel's members judge side by side; a lease keeps out whoever comes on top of them.
    if len(item.holders) >= item.panel:
        raise Leased(item.id, item.holders)
    blind = item.panel > 1 and item.state.status == "pending" and not request.adjudicate
    by = _decided_since(connection, request, blind)
    if by is not None or request.revision != item.state.revision:
        raise StaleVerdict(item, by or "somebody else")
    if item.state.disputed and not request.adjudicate and request.annotator not in item.state.voters:
        raise NeedsAdjudicator(item.id)
    return item.panel if blind else 1


def _decided_since(connection: Connection, request: Request, blind: bool) -> str | None:
    """Return who has decided, or taken a decision back, since the annotator looked; others' blind ones do not count.

    The annotator may be the one: a key pressed twice must not make two verdicts.
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
    """Return the annotator's newest event that an undo can take back. Raises BuiltUpon if somebody went on from it."""
    undo = table.alias()
    query = (
        events.selected()
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
    target = events.from_row(row)
    if target.verdict == "rewrite":
        for later in standing(events.of_sample(connection, target.sample_id)):
            if later.verdict in DECISIVE and later.revision > target.revision and later.annotator != annotator:
                raise BuiltUpon(target, later.annotator)
    return target
