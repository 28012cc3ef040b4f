"""Leases: an open sample belongs to its annotator for a while, so that two people do not judge it at once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, update

from annotations.store.schema import leases


def holders(connection: Connection, sample_id: str, now: float) -> list[str]:
    """Return who has the sample open now."""
    query = select(leases.c.annotator).where(leases.c.sample_id == sample_id, leases.c.until > now)
    return [row.annotator for row in connection.execute(query.order_by(leases.c.until))]


def others(connection: Connection, sample_id: str, annotator: str, now: float) -> list[str]:
    """Return who else has the sample open now."""
    return [name for name in holders(connection, sample_id, now) if name != annotator]


def until(connection: Connection, sample_id: str, annotator: str) -> float | None:
    """Return when the annotator's lease of a sample ends, None where there is none."""
    query = select(leases.c.until).where(leases.c.sample_id == sample_id, leases.c.annotator == annotator)
    end: float | None = connection.execute(query).scalar()
    return end


def held(connection: Connection, annotator: str, now: float) -> list[str]:
    """Return the samples that the annotator has open, the last opened first."""
    query = select(leases.c.sample_id).where(leases.c.annotator == annotator, leases.c.until > now)
    return [row.sample_id for row in connection.execute(query.order_by(leases.c.until.desc()))]


def take(connection: Connection, sample_id: str, annotator: str, until: float, now: float) -> None:
    """Lease the sample to the annotator, or renew their lease. Expired leases of the sample are deleted."""
    connection.execute(delete(leases).where(leases.c.sample_id == sample_id, leases.c.until <= now))
    if not renew(connection, [sample_id], annotator, until):
        connection.execute(insert(leases).values(sample_id=sample_id, annotator=annotator, until=until))


def renew(connection: Connection, sample_ids: Sequence[str], annotator: str, until: float) -> int:
    """Extend the annotator's leases of these samples. Returns how many there were."""
    mine = (leases.c.sample_id.in_(sample_ids), leases.c.annotator == annotator)
    return connection.execute(update(leases).where(*mine).values(until=until)).rowcount


def release(connection: Connection, sample_id: str, annotator: str) -> None:
    """End the annotator's lease."""
    connection.execute(delete(leases).where(leases.c.sample_id == sample_id, leases.c.annotator == annotator))
