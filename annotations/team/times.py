"""How long a verdict takes: the median of the seconds that clients measured, by annotator and kind. Reads only.

The seconds are those in which the sample was in front of the annotator and they worked (``Decision.seconds``). Events
without them, of older logs and of actions on many samples, do not count.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from sqlalchemy import select

from annotations.store.database import reading
from annotations.store.review_store import ReviewStore
from annotations.store.schema import events, samples
from curation.review.decisions import DECISIVE


@dataclass(frozen=True, slots=True)
class Pace:
    """The median seconds of one annotator's verdicts on one kind of sample; an empty kind stands for all kinds."""

    annotator: str
    kind: str
    verdicts: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain objects."""
        return asdict(self)


def paces(store: ReviewStore) -> list[Pace]:
    """Return the pace of each annotator, over all kinds and for each kind, sorted. Undone verdicts count too.

    Verdicts on samples that no queue has brought count among all kinds only.
    """
    query = (
        select(events.c.annotator, samples.c.kind, events.c.seconds)
        .outerjoin(samples, samples.c.id == events.c.sample_id)
        .where(events.c.verdict.in_(DECISIVE), events.c.seconds > 0, events.c.batch == "")
    )
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    with reading(store.engine) as connection:
        for annotator, kind, seconds in connection.execute(query):
            found[annotator, ""].append(seconds)
            if kind is not None:
                found[annotator, kind].append(seconds)
    return [Pace(who, kind, len(took), round(median(took), 1)) for (who, kind), took in sorted(found.items())]
