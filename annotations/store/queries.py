"""Queries over the samples: filters, an annotator's next sample, neighbours in the queue, counts. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, literal, or_, select

from annotations.store import text_search
from annotations.store.database import in_batches
from annotations.store.schema import assignments, gold, leases, passed, samples
from annotations.store.types import Waiting
from curation.errors import UsageError

# The status filter's options. `open` is what an annotator has still to judge; the rest follow from the log.
STATUS_FILTERS = ("open", "skipped", "disputed", "conflict", "approved", "rejected", "all")


QUEUES = ("", "mine", "all")
# The flag filter's value for samples with a flag, whichever it is; no flag has this code.
ANY_FLAG = "any"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which samples an annotator works through; an empty field filters nothing. ``flag`` is a code or :data:`ANY_FLAG`.

    ``text`` is a search as :mod:`annotations.search_text` reads it.
    """

    status: str = "open"
    kind: str = ""
    source: str = ""
    language: str = ""
    flag: str = ""
    speaker: str = ""
    text: str = ""
    cluster: str = ""
    queue: str = ""  # whose work: without a value the annotator's own and no one's, `mine`, or `all`

    def __post_init__(self) -> None:
        if self.queue not in QUEUES:
            raise UsageError(f"no such queue: {self.queue!r}. Expected one of {', '.join(map(repr, QUEUES))}.")
        if self.status not in STATUS_FILTERS:
            raise UsageError(f"no such status: {self.status!r}. Expected one of {', '.join(STATUS_FILTERS)}.")


def conditions(connection: Connection, filters: Filters, annotator: str) -> list[ColumnElement[bool]]:
    """Return the WHERE clauses of a filter. Raises BadPattern for a search that is not a regular expression."""
    found: list[ColumnElement[bool]] = [samples.c.queued.is_(True)]
    mine = and_(passed.c.sample_id == samples.c.id, passed.c.annotator == annotator)
    if filters.status == "open":
        known = exists().where(gold.c.sample_id == samples.c.id)  # a gold item comes by another way, blind
        found += [samples.c.status == "pending", ~exists().where(mine), ~known]
    elif filters.status == "skipped":
        found += [samples.c.status == "pending", exists().where(mine, passed.c.voted.is_(False))]
    elif filters.status == "conflict":
        found += [samples.c.conflicts > 0]
    elif filters.status != "all":
        found += [samples.c.status == filters.status]
    found += _assigned(filters, annotator)
    for column, value in (
        (samples.c.kind, filters.kind),
        (samples.c.language, filters.language),
        (samples.c.source_path, filters.source),
        (samples.c.cluster, filters.cluster),
    ):
        if value:
            found.append(column == value)
    if filters.flag == ANY_FLAG:
        found.append(samples.c.flag_codes != literal(""))
    for column, value in ((samples.c.flag_codes, filters.flag), (samples.c.speakers, filters.speaker)):
        if value and value != ANY_FLAG:
            found.append(column.contains(f"|{value}|", autoescape=True))
    searched = text_search.clause(connection, filters.text)
    if searched is not None:
        found.append(searched)
    return found


def _assigned(filters: Filters, annotator: str) -> list[ColumnElement[bool]]:
    """Return the clauses on whose work a sample is. What is assigned to a full panel of others is not offered."""
    mine = select(assignments.c.sample_id).where(assignments.c.annotator == annotator)
    if filters.queue == "mine":
        return [samples.c.id.in_(mine)]
    if filters.queue == "all" or filters.status != "open":
        return []
    others = select(func.count()).select_from(assignments)
    others = others.where(assignments.c.sample_id == samples.c.id, assignments.c.annotator != annotator)
    return [or_(others.scalar_subquery() < samples.c.panel, samples.c.id.in_(mine))]


def free(annotator: str, now: float) -> list[ColumnElement[bool]]:
    """Return the clauses for a sample that the annotator may take: its panel has room, and they do not hold it yet."""
    held = and_(leases.c.sample_id == samples.c.id, leases.c.until > now)
    voted = and_(passed.c.sample_id == samples.c.id, passed.c.voted.is_(True), passed.c.annotator != annotator)
    holders = select(func.count()).select_from(leases).where(held).scalar_subquery()
    voters = select(func.count()).select_from(passed).where(voted).scalar_subquery()
    return [holders + voters < samples.c.panel, ~exists().where(held, leases.c.annotator == annotator)]


def first_free(
    connection: Connection,
    annotator: str,
    filters: Filters,
    now: float,
    after: int | None = None,
    without: Collection[str] = (),
) -> tuple[str, int] | None:
    """Return (id, panel) of the first sample behind rank ``after`` that the annotator may take, and lock its row.

    On PostgreSQL it skips a row that another annotator is taking at this moment, instead of waiting for it.
    """
    query = select(samples.c.id, samples.c.panel).where(
        *conditions(connection, filters, annotator), *free(annotator, now)
    )
    if after is not None:
        query = query.where(samples.c.rank > after)
    if without:
        query = query.where(samples.c.id.not_in(without))
    query = query.order_by(samples.c.rank).limit(1).with_for_update(skip_locked=True, of=samples)
    row = connection.execute(query).first()
    return None if row is None else (row.id, row.panel)


def neighbour(connection: Connection, annotator: str, filters: Filters, rank: int | None, back: bool) -> str | None:
    """Return the id of the sample before or behind ``rank`` that the filters let through, leased or not."""
    query = select(samples.c.id).where(*conditions(connection, filters, annotator))
    if back:
        query = query.where(samples.c.rank < rank) if rank is not None else query
        query = query.order_by(samples.c.rank.desc())
    else:
        query = query.where(samples.c.rank > rank) if rank is not None else query
        query = query.order_by(samples.c.rank)
    found: str | None = connection.execute(query.limit(1)).scalar()
    return found


def listing(connection: Connection, annotator: str, filters: Filters, limit: int) -> list[str]:
    """Return the ids of the first samples that the filters let through."""
    query = (
        select(samples.c.id).where(*conditions(connection, filters, annotator)).order_by(samples.c.rank).limit(limit)
    )
    return [row.id for row in connection.execute(query)]


def count(connection: Connection, annotator: str, filters: Filters) -> int:
    """Return how many samples the filters let through."""
    query = select(func.count()).select_from(samples).where(*conditions(connection, filters, annotator))
    return connection.execute(query).scalar_one()


def counts(connection: Connection) -> dict[str, dict[str, int]]:
    """Return how many samples of the queue each kind and status has: ``{kind: {status: n}}``."""
    query = (
        select(samples.c.kind, samples.c.status, func.count())
        .where(samples.c.queued.is_(True))
        .group_by(samples.c.kind, samples.c.status)
        .order_by(samples.c.kind, samples.c.status)
    )
    table: dict[str, dict[str, int]] = {}
    for kind, status, n in connection.execute(query):
        table.setdefault(kind, {})[status] = n
    return table


def waiting(connection: Connection) -> Waiting:
    """Return how many samples of the queue are in conflict, and how many in dispute."""
    conflicts = func.count().filter(samples.c.conflicts > 0)
    disputes = func.count().filter(samples.c.status == "disputed")
    row = connection.execute(select(conflicts, disputes).where(samples.c.queued.is_(True))).one()
    return Waiting(conflicts=row[0], disputes=row[1])


def choices(connection: Connection) -> dict[str, list[str]]:
    """Return each filter's options: the values in the queue, sorted."""
    found: dict[str, list[str]] = {}
    for name, column in (("kind", samples.c.kind), ("language", samples.c.language), ("source", samples.c.source_path)):
        rows = connection.execute(select(column).where(samples.c.queued.is_(True), column.is_not(None)).distinct())
        found[name] = sorted(row[0] for row in rows)
    for name, column in (("flag", samples.c.flag_codes), ("speaker", samples.c.speakers)):
        rows = connection.execute(select(column).where(samples.c.queued.is_(True), column != literal("")).distinct())
        found[name] = sorted({value for row in rows for value in row[0].strip("|").split("|")})
    return found


def kinds(connection: Connection, sample_ids: Collection[str]) -> dict[str, str]:
    """Return the kind of each of these samples."""
    found: dict[str, str] = {}
    for ids in in_batches(sorted(sample_ids)):
        query = select(samples.c.id, samples.c.kind).where(samples.c.id.in_(ids))
        found |= {row.id: row.kind for row in connection.execute(query)}
    return found


def members(connection: Connection, cluster: str) -> Sequence[Any]:
    """Return the rows of a near-duplicate cluster, in the order of the queue."""
    # Sorted here: with ORDER BY, SQLite would walk the index of ranks through the whole queue.
    query = select(samples).where(samples.c.cluster == cluster, samples.c.queued.is_(True))
    return sorted(connection.execute(query), key=lambda row: row.rank)
