"""An annotator's pace, and how long the rest of the queue will take at it."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from curation.console import duration

if TYPE_CHECKING:
    from annotations.ui.session import Desk

# A longer gap is a break, not a difficult sample.
_BREAK_SECONDS = 300
_FEWEST = 5


def seconds_each(times: list[datetime]) -> float | None:
    """Return the median seconds between verdicts, without breaks; None where there are too few."""
    gaps = [abs((one - other).total_seconds()) for one, other in pairwise(sorted(times))]
    gaps = [gap for gap in gaps if gap <= _BREAK_SECONDS]
    return median(gaps) if len(gaps) >= _FEWEST else None


def seconds_per_verdict(desk: Desk) -> float | None:
    """Return the annotator's median seconds for a verdict, None where there are too few."""
    return seconds_each([datetime.fromisoformat(t) for t in desk.store.statistics.recent_times(desk.who)])


def describe(desk: Desk, left: int) -> str:
    """Return the pace and the time that ``left`` samples will take, in words."""
    each = seconds_per_verdict(desk)
    if not each:
        return desk.say("no_pace")
    return desk.say("pace", n=round(3600 / each), left=duration(each * left))
