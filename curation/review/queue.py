"""The review queue, ``datasets/build/samples.parquet``: every sample with its flags and its near-duplicate cluster.

`inosuke dataset` writes it; the review store and Label Studio read it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.files import write_atomically
from curation.record import Flag, Sample, Source, messages_from_json, messages_to_json
from curation.review.teaching import Placed


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A sample to review, its near-duplicate cluster, and the sources of its exact duplicates that were merged.

    ``placed`` is its place in the order of :mod:`curation.review.teaching`, where persona.toml asks for that order.
    """

    sample: Sample
    cluster: str | None = None
    merged: tuple[Source, ...] = ()
    placed: Placed | None = None


def write_queue(items: Sequence[QueueItem], path: Path) -> bool:
    """Write the queue as Parquet, with nested fields as JSON texts. Return whether the file changed."""
    import pandas as pd

    rows = [
        {
            "id": item.sample.id,
            "kind": item.sample.kind,
            "language": item.sample.language,
            "topic": item.sample.topic,
            "messages": json.dumps(messages_to_json(item.sample.messages), ensure_ascii=False),
            "flags": json.dumps([[f.code, f.detail] for f in item.sample.flags], ensure_ascii=False),
            "cluster": item.cluster,
            "source": _source_to_json(item.sample.source),
            "merged": [_source_to_json(source) for source in item.merged],
            "placed": None if item.placed is None else json.dumps([item.placed.place, item.placed.why]),
        }
        for item in items
    ]
    buffer = io.BytesIO()
    pd.DataFrame(rows, columns=_COLUMNS).to_parquet(buffer, index=False)
    return write_atomically(path, buffer.getvalue())


def read_queue(path: Path) -> list[QueueItem]:
    """Read the queue. Raises InosukeError if it is missing or was written by another version."""
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        return [_item(row) for row in rows]
    except FileNotFoundError:
        raise InosukeError(f"{path}: no queue yet. Run `inosuke dataset` (or `make dataset`) first.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InosukeError(
            f"{path}: not a review queue ({error}). Expected the file that `inosuke dataset` writes. Run it again."
        ) from error


_COLUMNS = ["id", "kind", "language", "topic", "messages", "flags", "cluster", "source", "merged", "placed"]


def _item(row: Mapping[Any, Any]) -> QueueItem:
    sample = Sample(
        id=str(row["id"]),
        kind=row["kind"],
        messages=messages_from_json(json.loads(str(row["messages"]))),
        language=row["language"],
        topic=row["topic"],
        source=_source_from_json(str(row["source"])),
        flags=tuple(Flag(*flag) for flag in json.loads(str(row["flags"]))),
    )
    merged = tuple(_source_from_json(text) for text in row["merged"])
    placed = Placed(*json.loads(row["placed"])) if row.get("placed") else None
    return QueueItem(sample=sample, cluster=row["cluster"], merged=merged, placed=placed)


def _source_to_json(source: Source) -> str:
    return json.dumps([source.path, source.sha256, source.locator, source.importer, source.rights], ensure_ascii=False)


def _source_from_json(text: str) -> Source:
    path, sha256, locator, importer, rights = json.loads(text)
    return Source(path=path, sha256=sha256, locator=locator, importer=importer, rights=rights)
