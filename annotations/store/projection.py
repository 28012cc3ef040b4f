"""The state of samples, as the ``samples`` and ``passed`` tables keep it for fast queries: always a fold of the events.

Called in the transaction that adds an event, so events and projection are kept or lost together.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from annotations.store import events
from annotations.store.schema import events as events_table
from annotations.store.schema import passed, samples
from curation.record import Message
from curation.review.decisions import Decision, State, fold

_BATCH = 5_000


def status_of(state: State) -> str:
    """Return ``pending``, ``disputed``, ``approved`` or ``rejected``."""
    return "disputed" if state.disputed else state.status


def searchable(messages: Iterable[Message]) -> str:
    """Return the text that a search looks in: composed letters, no case."""
    text = "\n".join(m.content for m in messages)
    return unicodedata.normalize("NFC", text).casefold().replace("\0", "")


def project(connection: Connection, sample_ids: Iterable[str]) -> None:
    """Fold the events of these samples anew. Samples that no queue has brought yet are left for when one does.

    Their rows are locked before the events are read, and always in the order of ids: on PostgreSQL a verdict that is
    being made meanwhile is then either seen or waits.
    """
    for ids in _batches(sorted(set(sample_ids))):
        found = select(samples.c.id).where(samples.c.id.in_(ids)).order_by(samples.c.id).with_for_update()
        present = [row.id for row in connection.execute(found)]
        states = fold(_events_of(connection, present))
        _write(connection, {sample: states.get(sample, State()) for sample in present})


def rebuild(connection: Connection) -> None:
    """Fold everything anew, whatever the projection held."""
    every = [row.id for row in connection.execute(select(samples.c.id))]
    project(connection, every)


def _events_of(connection: Connection, ids: list[str]) -> Iterator[Decision]:
    query = events.selected().where(events_table.c.sample_id.in_(ids))
    for row in connection.execute(query):
        yield events.from_row(row)


def _write(connection: Connection, states: dict[str, State]) -> None:
    if not states:
        return
    columns = [
        {
            "row_id": sample,
            "status": status_of(state),
            "revision": state.revision,
            "conflicts": len(state.conflicts),
            "search_now": searchable(state.messages or ()),
        }
        for sample, state in states.items()
    ]
    connection.execute(update(samples).where(samples.c.id == bindparam("row_id")), columns)
    connection.execute(delete(passed).where(passed.c.sample_id.in_(list(states))))
    rows = [row for sample, state in states.items() for row in _passed_rows(sample, state)]
    if rows:
        connection.execute(insert(passed), rows)


def _passed_rows(sample: str, state: State) -> Iterator[dict[str, Any]]:
    """Say who is through with a sample that is still open; once it is decided, nobody has to be kept from it."""
    if state.status != "pending":
        return
    through: dict[str, bool] = defaultdict(bool, dict.fromkeys(state.skipped_by, False))
    through.update(dict.fromkeys(state.voters, True))
    for annotator, voted in through.items():
        yield {"sample_id": sample, "annotator": annotator, "voted": voted}


def _batches(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]
