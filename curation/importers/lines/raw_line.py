"""One line of a transcript as a format gives it, before its markup and labels are read; and how a time is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class RawLine:
    """One line as a format gives it.

    ``locator`` is its place in the file. ``plain`` is the text without markup, filled in by ``to_imported``. ``reason``
    is a code of :data:`curation.codes.REJECTIONS` once the line is known not to be dialogue, with ``detail`` beside it.
    ``style`` and ``effect`` are an ASS event's; other formats leave them empty. Times are milliseconds. ``credits``: it
    names those who made the subtitles, unless a speaker turns out to say it. ``carried`` are the words at its start
    that only repeat the cue before.
    """

    text: str
    locator: str
    start_ms: int | None = None
    end_ms: int | None = None
    speaker: str = ""
    evidence: str = ""
    style: str = ""
    effect: str = ""
    reason: str = ""
    detail: str = ""
    plain: str = ""
    credits: bool = False
    carried: str = ""


def clock(ms: int) -> str:
    """Return a time as `00:01:02.500`."""
    seconds, ms = divmod(max(ms, 0), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{ms:03d}"
