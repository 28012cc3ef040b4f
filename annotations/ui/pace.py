"""How fast an annotator is, and how long the rest will take."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from annotations.ui.session import Desk

# A longer silence is a break, not a hard sample.
_BREAK_SECONDS = 300
_FEWEST = 5


def seconds_each(times: list[datetime]) -> float | None:
    """Return the median seconds between verdicts, breaks left out; None for too few to tell."""
    gaps = [abs((one - other).total_seconds()) for one, other in pairwise(sorted(times))]
    gaps = [gap for gap in gaps if gap <= _BREAK_SECONDS]
    return median(gaps) if len(gaps) >= _FEWEST else None


def of(desk: Desk) -> float | None:
    """Return the annotator's seconds a verdict."""
    return seconds_each([datetime.fromisoformat(t) for t in desk.store.statistics.recent_times(desk.who)])


def sentence(desk: Desk, left: int) -> str:
    """Say the pace and the time that is left."""
    each = of(desk)
    if not each:
        return desk.say("no_pace")
    return desk.say("pace", n=round(3600 / each), left=duration(each * left))


def duration(seconds: float) -> str:
    """Return a length of time in hours and minutes."""
    minutes = max(1, round(seconds / 60))
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
