"""The ``texts`` table: what searches look in, and the clause that finds samples in it.

A row is a sample's imported text or its current rewrite, folded as :mod:`annotations.search_text` compares texts. It is
a narrow table of its own: a search reads all of it, which with the samples' bodies beside it would take five times as
long.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, exists, func, insert, or_, select, text

from annotations.search_text import BadPattern, Part, Query, folded, found_by, looks_like_id, parse
from annotations.store.database import in_batches
from annotations.store.schema import samples, texts
from curation.record import Message

# A pattern that is slow on every text would hold up the page and everyone else's.
_SECONDS_A_SEARCH = 10.0
_SEARCHES_KEPT = 32
# Up to this many finds are named one by one.
_FEW = 2_000
# On PostgreSQL a row may become visible after rows with higher numbers: the newest ones are read again.
_READ_AGAIN = 2_000


def rows(sample_id: str, messages: Sequence[Message], current: bool) -> dict[str, Any]:
    """Return the row of one version of a sample. Each turn is a line, after a line with its speaker's name."""
    lines = [line for m in messages for line in (m.name, m.content) if line]
    return {
        "sample_id": sample_id,
        "current": current,
        "plain": "\n".join(folded(line, False) for line in lines),
        "marked": "\n".join(folded(line, True) for line in lines),
    }


def write(connection: Connection, ids: Iterable[str], new: list[dict[str, Any]], current: bool) -> None:
    """Replace the imported texts or the rewrites of these samples by the rows of :func:`rows`."""
    for some in in_batches(ids):
        of_these = texts.c.sample_id.in_(some)
        connection.execute(delete(texts).where(of_these, texts.c.current.is_(current)))
    if new:
        connection.execute(insert(texts), new)


def clause(connection: Connection, typed: str) -> ColumnElement[bool] | None:
    """Return the condition on ``samples`` for what an annotator typed, None for nothing. Raises BadPattern."""
    query = parse(typed)
    if query.pattern is None and not query.parts:
        return None
    numbers = _scanned(connection, query, typed)
    found: ColumnElement[bool]
    if len(numbers) <= _FEW:
        found = samples.c.id.in_(select(texts.c.sample_id).where(texts.c.seq.in_(numbers)))
    else:
        holds = _holds(connection, query.parts) if query.pattern is None else _one_of(connection, numbers)
        # Asked of one sample after the other: where many are found, the first one is found soon.
        found = exists().where(texts.c.sample_id == samples.c.id, holds)
    return or_(found, samples.c.id == typed.strip())


def _holds(connection: Connection, parts: Iterable[Part]) -> ColumnElement[bool]:
    # Several times as fast as LIKE, and without its wildcards.
    position = func.strpos if connection.dialect.name == "postgresql" else func.instr
    held: list[ColumnElement[bool]] = []
    for part in parts:
        found: ColumnElement[bool] = position(texts.c.marked if part.marks else texts.c.plain, part.text) > 0
        held.append(or_(found, texts.c.sample_id.startswith(part.text)) if looks_like_id(part) else found)
    return and_(*held)


def _one_of(connection: Connection, numbers: Iterable[int]) -> ColumnElement[bool]:
    """Return the condition that a text has one of these numbers, however many they are."""
    if connection.dialect.name == "postgresql":
        return texts.c.seq == func.any(list(numbers))
    return texts.c.seq.in_(text("SELECT value FROM json_each(:numbers)").bindparams(numbers=json.dumps(list(numbers))))


# ---------------------------------------------------------------- what each search has found so far


@dataclass(slots=True)
class _Scan:
    """The texts up to number ``upto`` in which a search has found something."""

    upto: int = 0
    found: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


# An annotator works through one search for hours. Each text is read once for it: one that changes gets a new number.
# Regular expressions are Python's work: the databases have different ones, or none, and cannot stop one.
_scans: WeakKeyDictionary[Engine, OrderedDict[str, _Scan]] = WeakKeyDictionary()
_lock = threading.Lock()


def _scanned(connection: Connection, query: Query, typed: str) -> list[int]:
    with _lock:
        kept = _scans.setdefault(connection.engine, OrderedDict())
        scan = kept.setdefault(typed, _Scan())
        kept.move_to_end(typed)
        if len(kept) > _SEARCHES_KEPT:
            kept.popitem(last=False)
    with scan.lock:  # of this search alone: a slow pattern holds up no one else's
        newest = connection.execute(select(func.max(texts.c.seq))).scalar() or 0
        again = _READ_AGAIN if connection.dialect.name == "postgresql" else 0
        if query.pattern is not None:
            _scan_in_python(connection, query, scan, again)
        elif newest > scan.upto or again:
            found = select(texts.c.seq).where(texts.c.seq > scan.upto - again, _holds(connection, query.parts))
            scan.found.update(row.seq for row in connection.execute(found))
            scan.upto = newest
        return sorted(scan.found)


def _scan_in_python(connection: Connection, query: Query, scan: _Scan, again: int) -> None:
    began = time.monotonic()
    unread = select(texts.c.seq, texts.c.plain, texts.c.marked).where(texts.c.seq > scan.upto - again)
    for row in connection.execute(unread.order_by(texts.c.seq)):
        if found_by(query, row.plain, row.marked):
            scan.found.add(row.seq)
        scan.upto = max(scan.upto, row.seq)
        if time.monotonic() - began > _SECONDS_A_SEARCH:
            raise BadPattern(
                f"/{query.pattern.pattern}/ takes more than {_SECONDS_A_SEARCH:.0f} s over all samples. Write a "
                "simpler one, or search for words."
            )
