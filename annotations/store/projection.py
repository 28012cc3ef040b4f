"""The projection: each sample's state in the ``samples`` and ``passed`` tables, for fast queries.

It is always the fold of the events, and is written in the transaction that adds an event: both are kept or neither.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from annotations.store import events_table, text_search
from annotations.store.database import in_batches
from annotations.store.panels import begun_panel
from annotations.store.schema import events, passed, samples
from curation.review.decisions import Decision, State, fold

_BATCH = 5_000

# What `status_of` returns, in the order in which figures are shown.
STATUSES = ("pending", "disputed", "approved", "rejected")


def status_of(state: State) -> str:
    """Return one of :data:`STATUSES`."""
    return "disputed" if state.disputed else state.status


def project(connection: Connection, sample_ids: Iterable[str]) -> None:
    """Fold the events of these samples and write their state. Samples that no queue has brought yet are skipped.

    Their rows are locked before the events are read, and always in the order of ids. On PostgreSQL a verdict that is
    made at the same time is then either seen or waits.
    """
    for ids in in_batches(sorted(set(sample_ids)), _BATCH):
        found = select(samples.c.id, samples.c.panel_drawn).where(samples.c.id.in_(ids))
        drawn = {row.id: row.panel_drawn for row in connection.execute(found.order_by(samples.c.id).with_for_update())}
        log: dict[str, list[Decision]] = defaultdict(list)
        for event in _events_of(connection, list(drawn)):
            log[event.sample_id].append(event)
        states = fold(event for sample in drawn for event in log[sample])
        rows = []
        for sample, panel in drawn.items():
            state = states.get(sample, State())
            rows.append((sample, state, max(panel, begun_panel(log[sample], state))))
        _write(connection, rows)


def rebuild(connection: Connection) -> None:
    """Write the state of every sample again, whatever the projection held."""
    every = [row.id for row in connection.execute(select(samples.c.id))]
    project(connection, every)


def _events_of(connection: Connection, ids: list[str]) -> Iterator[Decision]:
    query = events_table.selected().where(events.c.sample_id.in_(ids))
    for row in connection.execute(query):
        yield events_table.from_row(row)


def _write(connection: Connection, rows: list[tuple[str, State, int]]) -> None:
    """Write (sample id, state, panel) to the projection."""
    if not rows:
        return
    columns = [
        {
            "row_id": sample,
            "panel": panel,
            "status": status_of(state),
            "revision": state.revision,
            "conflicts": len(state.conflicts),
        }
        for sample, state, panel in rows
    ]
    connection.execute(update(samples).where(samples.c.id == bindparam("row_id")), columns)
    connection.execute(delete(passed).where(passed.c.sample_id.in_([sample for sample, _, _ in rows])))
    rewritten = [text_search.rows(sample, s.messages, current=True) for sample, s, _ in rows if s.messages is not None]
    text_search.write(connection, [sample for sample, _, _ in rows], rewritten, current=True)
    through = [row for sample, state, _ in rows for row in _passed_rows(sample, state)]
    if through:
        connection.execute(insert(passed), through)


def _passed_rows(sample: str, state: State) -> Iterator[dict[str, Any]]:
    """Yield a row for each annotator who is through with an open sample; a decided one is offered to no one anyway."""
    if state.status != "pending":
        return
    through: dict[str, bool] = defaultdict(bool, dict.fromkeys(state.skipped_by, False))
    through.update(dict.fromkeys(state.voters, True))
    for annotator, voted in through.items():
        yield {"sample_id": sample, "annotator": annotator, "voted": voted}
