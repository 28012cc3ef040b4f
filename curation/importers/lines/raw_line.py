"""One line of a transcript as a format gives it, before anything is read from it; and how its time is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Line:
    """One line as a format gives it. ``place`` is the locator; ``drop`` a reason code once it is no dialogue.

    ``style`` and ``effect`` are an ASS event's; other formats leave them empty. Times are milliseconds.
    """

    text: str
    place: str
    start_ms: int | None = None
    end_ms: int | None = None
    speaker: str = ""
    evidence: str = ""
    style: str = ""
    effect: str = ""
    drop: str = ""
    detail: str = ""
    plain: str = ""


def clock(ms: int) -> str:
    """Return a time as `00:01:02.500`."""
    seconds, ms = divmod(max(ms, 0), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{ms:03d}"
