"""The list of gold items, and how often each annotator gives the known verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, insert, select

from annotations.store import events_table
from annotations.store.database import reading, writing
from annotations.store.events_table import messages_text, time_of
from annotations.store.review_queue import read_item
from annotations.store.review_store import ReviewStore
from annotations.store.schema import events, gold, gold_asked
from annotations.store.types import Item
from curation.errors import UsageError
from curation.record import Message
from curation.review.decisions import DECISIVE, Decision, parse, standing


@dataclass(frozen=True, slots=True)
class GoldItem:
    """A sample, the revision that the known verdict is about, and the verdict."""

    sample_id: str
    revision: int
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Score:
    """How many gold items an annotator has judged, and how often their verdict was the known one."""

    annotator: str
    answered: int
    right: int


@dataclass(frozen=True)
class GoldItems:
    """A store's gold items."""

    store: ReviewStore

    def add(self, sample_id: str, verdict: Literal["approve", "reject", "rewrite"], reason: str = "") -> GoldItem:
        """Make a sample a gold item, with its text as it is now. Raises UnknownSample.

        A sample that waits for review is offered as a gold item alone from now on, until it is removed.
        """
        item = self.store.queue.item(sample_id)
        return self._put(item, item.state.revision, item.messages, verdict, reason)

    def add_adjudicated(self, number: int) -> list[GoldItem]:
        """Make gold items of samples on which a panel disagreed and an adjudicator decided, newest first."""
        known = {item.sample_id for item in self.all()}
        added: list[GoldItem] = []
        for event, item in self._adjudicated():
            if len(added) == number:
                break
            if item.id not in known:
                text = item.messages if event.revision == item.state.revision else item.sample.messages
                added.append(self._put(item, event.revision, text, event.verdict, event.reason))
        return added

    def remove(self, sample_id: str) -> None:
        """Remove a gold item, with its answers. Raises UsageError for a sample that is not one."""
        with writing(self.store.engine) as connection:
            if not connection.execute(delete(gold).where(gold.c.sample_id == sample_id)).rowcount:
                raise UsageError(f"{sample_id!r} is not a gold item. List them: inosuke review gold list")
            connection.execute(delete(gold_asked).where(gold_asked.c.sample_id == sample_id))

    def all(self) -> list[GoldItem]:
        """Return the gold items, oldest first."""
        with reading(self.store.engine) as connection:
            rows = connection.execute(select(gold).order_by(gold.c.time, gold.c.sample_id))
            return [GoldItem(r.sample_id, r.revision, r.verdict, r.reason) for r in rows]

    def scores(self) -> list[Score]:
        """Return the annotators' scores, sorted by name. Skipped gold items do not count."""
        query = select(gold.c.verdict, gold_asked.c.annotator, gold_asked.c.event)
        query = query.join(gold_asked, gold_asked.c.sample_id == gold.c.sample_id)
        given: dict[str, list[bool]] = defaultdict(list)
        with reading(self.store.engine) as connection:
            for row in connection.execute(query.where(gold_asked.c.event.is_not(None))):
                verdict = parse(row.event).verdict
                if verdict in DECISIVE:
                    given[row.annotator].append(verdict == row.verdict)
        return [Score(name, len(said), sum(said)) for name, said in sorted(given.items())]

    def _put(self, item: Item, revision: int, text: Sequence[Message], verdict: str, reason: str) -> GoldItem:
        now = time_of(self.store.clock)
        values = {"revision": revision, "messages": messages_text(text), "verdict": verdict, "reason": reason}
        with writing(self.store.engine) as connection:
            connection.execute(delete(gold).where(gold.c.sample_id == item.id))
            connection.execute(delete(gold_asked).where(gold_asked.c.sample_id == item.id))
            connection.execute(insert(gold).values(sample_id=item.id, time=now, **values))
        return GoldItem(item.id, revision, verdict, reason)

    def _adjudicated(self) -> list[tuple[Decision, Item]]:
        """Return the verdict that settled each dispute, newest first, where the text it was about is known."""
        judged = select(events.c.sample_id).where(events.c.panel > 1)
        by_sample: dict[str, list[Decision]] = defaultdict(list)
        found = []
        with reading(self.store.engine) as connection:
            for row in connection.execute(events_table.selected().where(events.c.sample_id.in_(judged))):
                by_sample[row.sample_id].append(events_table.from_row(row))
            for sample, log in by_sample.items():
                event = _settling(log)
                if event is None:
                    continue
                item = read_item(connection, sample, "", self.store.clock())
                if event.revision in (0, item.state.revision):
                    found.append((event, item))
        return sorted(found, key=lambda pair: (pair[0].time, pair[0].id), reverse=True)


def _settling(log: Sequence[Decision]) -> Decision | None:
    """Return the last verdict of panel 1 on a revision whose blind verdicts differ."""
    decisive = [event for event in standing(log) if event.verdict in DECISIVE]
    for event in reversed(decisive):
        blind = {e.verdict for e in decisive if e.panel > 1 and e.revision == event.revision and e.time < event.time}
        if event.panel == 1 and event.client != "import" and len(blind) > 1:
            return event
    return None
