"""The times of a table's rows → milliseconds. What a number means is decided for a whole column pair, not for a row.

A clock time (`00:00:02.000`, `1:02,5`) says what it is. For a bare number the heading may tell (`start_ms`, `Start
(s)`); if not, the lines themselves do: no one speaks for minutes on end, line after line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

# A line of this many seconds would be a lecture: where most lines last longer, their numbers are no seconds.
_ABSURD_SECONDS = 60
# Lines that begin this many seconds apart, most of them, are milliseconds too (a table without ends).
_ABSURD_GAP = 200
# What a frame lasts is not in a table. Film, television and the web differ by a fifth at most.
_FRAMES_A_SECOND = 25
_LATEST_MS = 10**9 * 1000
_CLOCK = re.compile(
    r"^(?:0 days\s+)?(?:(?P<h>\d{1,3})[:;])?(?P<m>\d{1,3})[:;](?P<s>\d{1,2})"
    r"(?:[.,](?P<f>\d{1,9})|[:;](?P<frame>\d{2,3}))?$"
)
_NUMBER = re.compile(r"^\d{1,15}(?:[.,]\d{1,15})?$")
_WITH_UNIT = re.compile(r"^(?P<n>\d{1,12}(?:[.,]\d{1,9})?)\s*(?P<u>ms|msec|milliseconds?|s|secs?|seconds?)$", re.I)

Times = list[tuple[int | None, int | None]]


def read_times(cells: Sequence[tuple[Any, Any]], units: tuple[str, str] = ("", "")) -> Times:
    """Return (start, end) in milliseconds for each row's two cells; None where a cell holds no time.

    ``units`` is what the headings say of each column: ms, s, frame or an empty text.
    """
    parsed = [(_parse(start), _parse(end)) for start, end in cells]
    guess = _unit([(a[1], b[1]) for a, b in parsed if a[0] == b[0] == "number" or (a[0] == "number" and not b[0])])
    found: Times = []
    for start, end in parsed:
        times = [_ms(*value, unit or guess) for value, unit in zip((start, end), units, strict=True)]
        if times[0] is not None and times[1] is not None:
            times[1] = max(times[0], times[1])
        found.append((times[0], times[1]))
    return found


def clock_ms(cell: str) -> int | None:
    """Return a clock time in milliseconds, or None for a text that is not one."""
    kind, value = _parse(cell)
    return _ms(kind, value, "") if kind == "ms" else None


def _parse(cell: Any) -> tuple[str, float]:
    """Return (ms, value) for a time that says its unit, (number, value) for a bare number, ("", 0) otherwise."""
    if isinstance(cell, bool) or cell is None:
        return "", 0.0
    if isinstance(cell, int | float):
        return ("number", float(cell)) if 0 <= cell < _LATEST_MS else ("", 0.0)
    text = str(cell).strip()
    if not text or not text[0].isascii() or not text[0].isdigit():
        return "", 0.0
    if _NUMBER.match(text):
        return "number", float(text.replace(",", "."))
    if clock := _CLOCK.match(text):
        seconds = int(clock["h"] or 0) * 3600 + int(clock["m"]) * 60 + int(clock["s"])
        if clock["frame"]:
            # `00:01:02:12` counts frames; with three digits (`00:01:02:500`) they are milliseconds.
            frame = int(clock["frame"])
            return "ms", seconds * 1000 + (frame if len(clock["frame"]) == 3 else frame * 1000 / _FRAMES_A_SECOND)
        return "ms", seconds * 1000 + float(f"0.{clock['f'] or 0}") * 1000
    if unit := _WITH_UNIT.match(text):
        return "ms", float(unit["n"].replace(",", ".")) * (1 if unit["u"].lower().startswith("m") else 1000)
    return "", 0.0


def _ms(kind: str, value: float, unit: str) -> int | None:
    if not kind:
        return None
    factor = 1.0 if kind == "ms" or unit == "ms" else 1000 / _FRAMES_A_SECOND if unit == "frame" else 1000.0
    ms = value * factor
    return round(ms) if ms < _LATEST_MS else None


def _unit(pairs: Sequence[tuple[float, float]]) -> str:
    """Return ms where the bare numbers of a table can only be milliseconds, else s."""
    if not pairs or any(not start.is_integer() or not end.is_integer() for start, end in pairs):
        return "s"
    lasting = [end - start for start, end in pairs if end > start]
    if lasting:
        return "ms" if median(lasting) >= _ABSURD_SECONDS else "s"
    starts = [start for start, _ in pairs]
    gaps = [b - a for a, b in pairwise(starts) if b > a]
    return "ms" if gaps and median(gaps) >= _ABSURD_GAP else "s"
