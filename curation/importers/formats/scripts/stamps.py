"""Time stamps of scripts and chat logs: before a line, alone above it, or beside the speaker's name.

`[00:00:01] Name: line` (Otter, Zoom), `[00:00.000 --> 00:02.000]  line` (whisper), `start=0.2s stop=1.5s` and
`0.20 1.50` (pyannote), `12:03 <Name> line` (IRC), `1/2/24, 10:15 - Name: line` (WhatsApp), `Name  0:01` above the line
(Otter), `Name — Today at 10:15 AM` (Discord). A stamp counts only where stamps recur.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from curation.importers.formats.scripts.rows import Row
from curation.transcripts.speakers import is_name

_DATE = (
    r"(?P<date>\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}-[A-Z][a-z]{2}-\d{2,4})"
    r"(?:,\s*|[T_]|\s+)"
)
_TODAY = r"(?:(?P<today>today|yesterday|hôm nay|hôm qua)\s*(?:at|lúc)?\s*)"
_TIME = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?"
_NOON = r"(?:\s*(?P<noon>[AaPp]\.?[Mm]\.?|SA|CH)\b)?"
_TO = r"\s*(?:-->|->|[-–—]|\bto\b)\s*"
_SECONDS = r"\d{1,6}\.\d{1,3}"
# WhatsApp on some phones writes the date behind the time: `[08:31, 12/3/2024]`.
_DATE_AFTER = r"(?:,\s*(?P<date_after>\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}))?"
_STAMP = rf"(?:{_DATE}|{_TODAY})?(?P<start>{_TIME}){_NOON}(?:Z\b|\s*UTC\b)?{_DATE_AFTER}(?:{_TO}(?P<end>{_TIME}))?"
# The stamp before a line, in brackets or followed by a space; then a rule or a dash, as WhatsApp writes it.
_BEFORE = (
    re.compile(rf"^[\[(]\s*{_STAMP}\s*[\])]\s*(?:[-–—|]\s+)?[:：]?\s*(?P<rest>.*)$", re.IGNORECASE),
    re.compile(rf"^{_STAMP}(?=\s|$)\s*(?:[-–—|]\s+)?(?P<rest>.*)$", re.IGNORECASE),
    re.compile(
        rf"^start\s*=\s*(?P<start>{_SECONDS})s?\s+(?:stop|end)\s*=\s*(?P<end>{_SECONDS})s?\s+(?P<rest>.*)$",
        re.IGNORECASE,
    ),
    re.compile(rf"^[\[(]?\s*(?P<start>{_SECONDS})s?(?:{_TO}|\s+)(?P<end>{_SECONDS})s?\s*[\])]?\s+(?P<rest>\S.*)$"),
)
_WHO = r"(?P<name>[^\d\[\]():：][^\[\]():：]{0,39}?)"
# The stamp after a name: alone on the row, in brackets, or before a colon.
_AFTER = (
    re.compile(
        rf"^{_WHO}\s*,?\s*[\[(]\s*{_STAMP}\s*[\])]\s*[:：]?\s*(?P<rest>.*)$",
        re.IGNORECASE,
    ),
    re.compile(
        rf"^\[?{_WHO}\]?\s*[,—–-]?\s+{_STAMP}\s*[:：]?\s*(?P<rest>)$",
        re.IGNORECASE,
    ),
    re.compile(
        rf"^{_WHO}\s*[:：]\s*[\[(]\s*{_STAMP}\s*[\])]\s*(?P<rest>.*)$",
        re.IGNORECASE,
    ),
)
_HAS_TIME = re.compile(r"\d[:.]\d")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_MS = 24 * 60 * 60 * 1000
# How long a line without an end can take: a breath, and slow speech for each of its characters.
_BREATH_MS, _CHARACTER_MS = 2_000, 200
# People who type answer after minutes; after this they have begun another conversation.
_CHAT_PAUSE_MS = 30 * 60 * 1000
_MIN_STAMPS = 2
_MIN_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A row's time as it is written. ``chat``: a clock on the wall, with a date or the half of the day."""

    start: str
    end: str
    day: int
    noon: str
    chat: bool
    name: str
    rest: str


def read(rows: Sequence[Row]) -> list[Row]:
    """Return the rows without their stamps and with their times, or the same rows where stamps do not recur.

    A row that is only a stamp goes; its time is that of the next row with words. Lines whose end is not written end
    where the next begins, but not later than they can be said.
    """
    stamps = [_stamp(row.text.strip()) if _HAS_TIME.search(row.text) else None for row in rows]
    found = [stamp for stamp in stamps if stamp]
    full = sum(bool(row.text.strip()) for row in rows)
    if len(found) < _MIN_STAMPS or len(found) < _MIN_SHARE * full:
        return list(rows)
    chat = any(s.chat for s in found) or any(re.match(r"<[^<>]{1,40}>\s", s.rest) for s in found)
    times = iter(_times(found, chat))
    timed: list[Row] = []
    waiting: tuple[int | None, int | None] | None = None
    for row, stamp in zip(rows, stamps, strict=True):
        if stamp is None:
            if row.text.strip() and waiting:
                row = replace(row, start_ms=waiting[0], end_ms=waiting[1])
                waiting = None
            timed.append(row)
            continue
        start, end = next(times)
        if stamp.name:
            timed.append(replace(row, text=stamp.rest, name=stamp.name, start_ms=start, end_ms=end))
            waiting = None if stamp.rest else (start, end)
        elif stamp.rest:
            timed.append(replace(row, text=stamp.rest, start_ms=start, end_ms=end))
            waiting = None
        else:
            waiting = (start, end)
    return timed if chat else _said(timed)


def are_dated(rows: Sequence[Row]) -> bool:
    """Return whether rows open with a date, as those of chats and of a program's log do."""
    return any((stamp := _stamp(row.text.strip())) and stamp.chat for row in rows if _HAS_TIME.search(row.text))


def _stamp(text: str) -> _Stamp | None:
    for pattern in _BEFORE:
        if found := pattern.match(text):
            return _of(found, "")
    for pattern in _AFTER:
        if (found := pattern.match(text)) and is_name(found["name"].strip()):
            return _of(found, found["name"].strip())
    return None


def _of(found: re.Match[str], name: str) -> _Stamp:
    parts = found.groupdict()
    noon = (parts.get("noon") or "").replace(".", "").upper()
    date = parts.get("date") or parts.get("date_after") or ""
    return _Stamp(
        start=parts["start"],
        end=parts.get("end") or "",
        day=_day(date) if date else 0,
        noon={"SA": "AM", "CH": "PM"}.get(noon, noon),
        chat=bool(date or noon or parts.get("today")),
        name=name,
        rest=parts["rest"].strip(),
    )


def _day(date: str) -> int:
    """Return a number that grows with the date. Day and month are told apart only where one is above 12."""
    parts = re.split(r"[-/.]", date)
    if parts[1].isalpha():
        month = next((n for n, name in enumerate(_MONTHS, 1) if parts[1].lower().startswith(name)), 1)
        day, year = int(parts[0]), int(parts[2])
    elif len(parts[0]) == 4:
        year, month, day = (int(p) for p in parts)
    else:
        day, month, year = (int(p) for p in parts)
        if month > 12:
            day, month = month, day
    return year % 100 * 372 + month * 31 + day


def _times(stamps: Sequence[_Stamp], chat: bool) -> Iterator[tuple[int, int | None]]:
    """Yield start and end of each stamp; in a chat from the first message on, past midnight too."""
    first: int | None = None
    before, days = 0, 0
    # A stamp without a date is of the day that was named last.
    date = next((stamp.day for stamp in stamps if stamp.day), 0)
    starts: list[tuple[int, int | None]] = []
    for stamp in stamps:
        start = _ms(stamp.start, chat)
        if stamp.noon:
            start = start % (_DAY_MS // 2) + (_DAY_MS // 2 if stamp.noon == "PM" else 0)
        if chat:
            if stamp.day:
                date, days = stamp.day, 0
            elif start + _DAY_MS // 2 < before:
                days += 1
            before = start
            start += (date + days) * _DAY_MS
            first = start if first is None else first
            start -= first
        starts.append((max(0, start), _ms(stamp.end, chat) if stamp.end and not chat else None))
    for index, (start, end) in enumerate(starts):
        following = starts[index + 1][0] if index + 1 < len(starts) else None
        if chat and following is not None and start <= following <= start + _CHAT_PAUSE_MS:
            end = following
        yield start, end


def _said(rows: list[Row]) -> list[Row]:
    """Give each timed row without an end the start of the next one, or the longest time that its words can take."""
    following: int | None = None
    for row in reversed(rows):
        if row.start_ms is not None and (row.text or not row.name):
            longest = row.start_ms + _BREATH_MS + _CHARACTER_MS * len(row.text)
            if row.end_ms is None:
                row.end_ms = longest if following is None or following < row.start_ms else min(following, longest)
        following = row.start_ms if row.start_ms is not None else following
    return rows


def _ms(time: str, chat: bool) -> int:
    """Return milliseconds. Two parts are minutes and seconds, but hours and minutes in a chat."""
    if ":" not in time:
        return round(float(time) * 1000)
    clock, _, fraction = time.replace(",", ".").partition(".")
    parts = [int(p) for p in clock.split(":")]
    if len(parts) == 2:
        parts = [*parts, 0] if chat else [0, *parts]
    return (parts[0] * 3600 + parts[1] * 60 + parts[2]) * 1000 + int(fraction.ljust(3, "0") if fraction else 0)
