"""The queue's file (``curation.review.queue``) as rows of the ``samples`` table, in the order of work."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, select, update

from annotations.store import text_search
from annotations.store.panels import drawn_panel
from annotations.store.projection import project
from annotations.store.schema import samples
from curation.codes import findings
from curation.record import Flag, Sample, Source, messages_from_json, messages_to_json
from curation.review.queue import QueueItem
from curation.review.teaching import Placed

if TYPE_CHECKING:
    from curation.persona import Review

# Set by deduplication on every member of a cluster: it alone does not move a sample to the front.
NEAR_DUPLICATE = "near_duplicate"


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many samples a load changed. ``gone`` ones keep their events and come back with a later queue."""

    added: int = 0
    changed: int = 0
    gone: int = 0


def load(connection: Connection, items: Sequence[QueueItem], review: Review | None) -> Loaded:
    """Make the table hold this queue, each sample with the panel that ``review`` draws for it. Verdicts stay."""
    held = select(samples.c.id, samples.c.body, samples.c.rank, samples.c.panel_drawn, samples.c.queued)
    there = {row.id: row for row in connection.execute(held)}
    new, changed, redrawn, reworded = [], [], [], []
    for rank, item in enumerate(in_order(items)):
        row = _row(item, rank, drawn_panel(item.sample.id, review))
        old = there.pop(item.sample.id, None)
        if old is None:
            new.append(row)
            reworded.append(item.sample)
        elif (old.body, old.rank, old.panel_drawn, old.queued) != (row["body"], row["rank"], row["panel_drawn"], True):
            changed.append({f"new_{k}": v for k, v in row.items()})
            reworded += [item.sample] if old.body != row["body"] else []
            redrawn += [row["id"]] if old.panel_drawn != row["panel_drawn"] else []
    gone = [{"new_id": row.id} for row in there.values() if row.queued]
    if new:
        pending = {"panel": 1, "status": "pending", "revision": 0, "conflicts": 0}
        connection.execute(insert(samples), [row | pending for row in new])
    if changed:
        values: dict[str, Any] = {k.removeprefix("new_"): bindparam(k) for k in changed[0] if k != "new_id"}
        connection.execute(update(samples).where(samples.c.id == bindparam("new_id")).values(values), changed)
    if gone:
        connection.execute(update(samples).where(samples.c.id == bindparam("new_id")).values(queued=False), gone)
    written = [text_search.rows(sample.id, sample.messages, current=False) for sample in reworded]
    text_search.write(connection, [sample.id for sample in reworded], written, current=False)
    project(connection, [*(row["id"] for row in new), *redrawn])
    return Loaded(added=len(new), changed=len(changed), gone=len(gone))


def in_order(items: Sequence[QueueItem]) -> list[QueueItem]:
    """Return the items in the order of work: flagged ones, near-duplicate clusters together, then the rest.

    A cluster with a flagged member moves to the front as a whole, so that its members are judged together. A queue
    with places is in their order; what had a verdict when it was built has none and comes last.
    """
    if any(item.placed for item in items):
        return sorted(items, key=lambda item: item.placed.place if item.placed else len(items))
    groups: dict[str, list[QueueItem]] = defaultdict(list)
    for item in items:
        groups[f"cluster {item.cluster}" if item.cluster else item.sample.id].append(item)

    def urgency(group: list[QueueItem]) -> int:
        if any(f.code != NEAR_DUPLICATE for item in group for f in findings(item.sample.flags)):
            return 0
        return 1 if group[0].cluster else 2

    # sorted() is stable: inside a level, the order of the sources stays.
    return [item for group in sorted(groups.values(), key=urgency) for item in group]


def _row(item: QueueItem, rank: int, panel: int) -> dict[str, Any]:
    sample = item.sample
    return {
        "id": sample.id,
        "kind": sample.kind,
        "language": sample.language,
        "source_path": sample.source.path,
        "flag_codes": _listed(f.code for f in findings(sample.flags)),
        "speakers": _listed(dict.fromkeys(m.name for m in sample.messages if m.name)),
        "cluster": item.cluster,
        "body": json.dumps(_body(item), ensure_ascii=False),
        "rank": rank,
        "panel_drawn": panel,
        "queued": True,
    }


def _body(item: QueueItem) -> dict[str, Any]:
    # asdict() copies deeply, which is a large part of the time that loading a queue takes.
    sample = item.sample
    return {
        "sample": {
            "id": sample.id,
            "kind": sample.kind,
            "messages": messages_to_json(sample.messages),
            "language": sample.language,
            "topic": sample.topic,
            "source": _source(sample.source),
            "flags": [{"code": f.code, "detail": f.detail} for f in sample.flags],
        },
        "cluster": item.cluster,
        "merged": [_source(s) for s in item.merged],
        **({"placed": [item.placed.place, item.placed.why]} if item.placed else {}),
    }


def _source(source: Source) -> dict[str, str]:
    return {name: getattr(source, name) for name in Source.__slots__}


def from_body(body: str) -> QueueItem:
    """Return the queue item that a row's ``body`` holds."""
    data: Mapping[str, Any] = json.loads(body)
    fields = dict(data["sample"])
    fields["messages"] = messages_from_json(fields["messages"])
    fields["flags"] = tuple(Flag(**flag) for flag in fields["flags"])
    fields["source"] = Source(**fields["source"])
    placed = Placed(*data["placed"]) if "placed" in data else None
    return QueueItem(Sample(**fields), data["cluster"], tuple(Source(**s) for s in data["merged"]), placed)


def _listed(values: Any) -> str:
    """Join values so that LIKE '%|value|%' finds one; a bar inside a value would end it early."""
    joined = "|".join(str(v).replace("|", "/").replace("\0", "") for v in values)
    return f"|{joined}|" if joined else ""
