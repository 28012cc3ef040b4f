"""The texts of a store's queue as the model reads them: of each sample what stands now, rewrites too. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from dataclasses import dataclass, replace

from sqlalchemy import Engine, select

from annotations.store import queue_table
from annotations.store.database import in_batches, reading
from annotations.store.review_queue import read_item
from annotations.store.schema import events, samples
from annotations.store.types import Item
from curation.meaning.neighbours import group_of, meaning_text
from curation.meaning.verdicts import Group


@dataclass(frozen=True, slots=True)
class Text:
    """A sample's text, and the group within which it is compared."""

    sample_id: str
    text: str
    group: Group


def text_of(item: Item, templates: Set[str]) -> Text:
    """Return the text of a sample as it stands now."""
    sample = replace(item.sample, messages=item.messages)
    return Text(item.id, meaning_text(sample, templates), group_of(sample))


def all_texts(engine: Engine, templates: Set[str]) -> Iterator[Text]:
    """Yield the text of every sample of the queue, in its order."""
    query = select(samples.c.id, samples.c.body, samples.c.revision).where(samples.c.queued.is_(True))
    with reading(engine) as connection:
        for row in connection.execute(query.order_by(samples.c.rank)).all():
            if row.revision:
                yield text_of(read_item(connection, row.id, "", 0.0), templates)
            else:
                sample = queue_table.from_body(row.body).sample
                yield Text(sample.id, meaning_text(sample, templates), group_of(sample))


def touched_since(engine: Engine, seq: int, most: int) -> list[str] | None:
    """Return the samples with events after ``seq``; None for more than ``most``."""
    query = select(events.c.sample_id).where(events.c.seq > seq).distinct().limit(most + 1)
    with reading(engine) as connection:
        found = [row.sample_id for row in connection.execute(query)]
    return None if len(found) > most else found


def texts_of(engine: Engine, sample_ids: Collection[str], templates: Set[str]) -> list[Text]:
    """Return the texts of those of these samples that the queue has."""
    found = []
    with reading(engine) as connection:
        for some in in_batches(sorted(sample_ids)):
            query = select(samples.c.id).where(samples.c.id.in_(some), samples.c.queued.is_(True))
            for row in connection.execute(query).all():
                found.append(text_of(read_item(connection, row.id, "", 0.0), templates))
    return found
