"""JSON lines that a team appends to: one record a line, each with an id of its own, so that two files merge by union.

The review log is one such file; `decisions.py` says what its lines mean. Audits and choices are the others. This module
reads and writes lines and knows nothing of what they mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from curation.errors import InosukeError
from curation.files import write_atomically

# A record has at least `id` and `time` (UTC, ISO 8601), both texts.
Record: TypeAlias = dict[str, Any]

# The lines of git's conflict styles merge, diff3 and zdiff3.
_MARKER = re.compile(r"(<{7}|\|{7}|>{7})( .*)?|={7}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lines(Generic[T]):
    """A file's lines: what they hold and, unchanged, those that hold nothing known (1-based line number, text).

    ``markers`` counts lines that git wrote between the two sides of a merge conflict. Both sides' lines count, so the
    markers say nothing. One beside a damaged line is damaged, too: it may tell where that line came from.
    """

    found: tuple[T, ...] = ()
    damaged: tuple[tuple[int, str], ...] = ()
    markers: int = 0


def read_lines(path: Path, parse: Callable[[str], T]) -> Lines[T]:
    """Read a file line by line with ``parse``, which raises ValueError for a line that holds nothing known.

    A missing file is empty. Raises InosukeError where the file cannot be read or is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Lines()
    except (OSError, UnicodeDecodeError) as error:
        raise InosukeError(
            f"{path}: cannot be read ({error}). Expected JSON lines, UTF-8 text. Fix the file or its permissions, or "
            "restore it from git; nothing was changed."
        ) from error
    found: list[T] = []
    damaged: list[tuple[int, str]] = []
    markers: list[tuple[int, str]] = []  # since the last line that is not one
    dropped = 0
    beside_damage = False
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if _MARKER.fullmatch(line.rstrip()):
            markers.append((number, line))
            continue
        before = len(damaged)
        try:
            found.append(parse(line))
        except ValueError:
            damaged.append((number, line))
        broken = len(damaged) > before
        if beside_damage or broken:
            damaged += markers
        else:
            dropped += len(markers)
        markers, beside_damage = [], broken
    if beside_damage:
        damaged += markers
    else:
        dropped += len(markers)
    return Lines(tuple(found), tuple(sorted(damaged)), dropped)


@dataclass(frozen=True, slots=True)
class Records:
    """A file as read: its records, oldest first, and, unchanged, the lines that hold none; ``markers`` as in Lines."""

    records: tuple[Record, ...] = ()
    damaged: tuple[str, ...] = ()
    markers: int = 0


def read_records(path: Path) -> Records:
    """Read a file; a missing one is empty. Raises InosukeError where it cannot be read or is not UTF-8."""
    lines = read_lines(path, _parsed)
    return Records(tuple(ordered(lines.found)), tuple(text for _, text in lines.damaged), lines.markers)


def write_records(path: Path, content: Records) -> bool:
    """Write the records, oldest first, damaged lines last and unchanged. Return whether the file changed."""
    lines = [*map(line_of, ordered(content.records)), *content.damaged]
    return write_atomically(path, "".join(f"{line}\n" for line in lines))


def ordered(records: Iterable[Record]) -> list[Record]:
    """Return the union, oldest first. Of two records with one id the earlier stands, the same one on every machine."""
    union: dict[str, Record] = {}
    for record in sorted(records, key=lambda r: (r["time"], line_of(r))):
        union.setdefault(record["id"], record)
    return sorted(union.values(), key=lambda r: (r["time"], r["id"]))


def known(records: Iterable[Record], lines: TypeAdapter[Any]) -> list[Any]:
    """Return what the records say, oldest first. Those of a later version that ``lines`` does not know are left out."""
    found = []
    for record in ordered(records):
        try:
            found.append(lines.validate_python(record))
        except ValidationError:
            continue
    return found


class OnPair(Protocol):
    """What an annotator said of a pair; ``time`` orders, ``id`` names it."""

    @property
    def id(self) -> str:
        """Its own name."""

    @property
    def time(self) -> str:
        """When it was said."""

    @property
    def pair(self) -> str:
        """The name of the pair."""

    @property
    def annotator(self) -> str:
        """Who said it."""


P = TypeVar("P", bound=OnPair)


def newest_on_each_pair(said: Iterable[P], withdrawn: Collection[tuple[str, str]]) -> list[P]:
    """Return the newest of each annotator on each pair, oldest first, but for the (id, annotator) in ``withdrawn``."""
    newest = {(one.pair, one.annotator): one for one in said if (one.id, one.annotator) not in withdrawn}
    return sorted(newest.values(), key=lambda one: (one.time, one.id))


def line_of(record: Record) -> str:
    """Return a record as the file holds it, without the line's end."""
    return json.dumps(record, ensure_ascii=False)


def _parsed(line: str) -> Record:
    record = json.loads(line)
    if not isinstance(record, dict) or not all(isinstance(record.get(key), str) for key in ("id", "time")):
        raise ValueError("not a record with an id and a time")
    return record
