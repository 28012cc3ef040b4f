"""The tables beside events and samples: annotators, drafts, and what the program notes for itself.

Each public method is one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from annotations.store.database import reading, writing
from annotations.store.events_table import messages_text
from annotations.store.schema import annotators, drafts, meta
from annotations.store.types import Draft
from curation.record import Message, messages_from_json


@dataclass(frozen=True)
class People:
    """Who may review: names, roles (``annotator`` or ``adjudicator``) and passwords."""

    engine: Engine
    clock: Callable[[], float]

    def add(self, name: str, role: str = "annotator") -> None:
        """Add an annotator; one who is known keeps their role."""
        with writing(self.engine) as connection:
            if connection.execute(select(annotators.c.name).where(annotators.c.name == name)).first() is None:
                connection.execute(insert(annotators).values(name=name, role=role, added=_moment(self.clock)))

    def set_role(self, name: str, role: str) -> None:
        """Make a known person an annotator or an adjudicator."""
        with writing(self.engine) as connection:
            connection.execute(update(annotators).where(annotators.c.name == name).values(role=role))

    def roles(self) -> dict[str, str]:
        """Return ``{name: role}``, sorted by name."""
        with reading(self.engine) as connection:
            return {row.name: row.role for row in connection.execute(select(annotators).order_by(annotators.c.name))}

    def set_password(self, name: str, password: str) -> None:
        """Store the hash (scrypt) of a known person's password."""
        from werkzeug.security import generate_password_hash

        hashed = generate_password_hash(password)
        with writing(self.engine) as connection:
            connection.execute(update(annotators).where(annotators.c.name == name).values(password=hashed))

    def check_password(self, name: str, password: str) -> bool:
        """Return whether this is the person's password. Takes as long for a name that is not known."""
        from werkzeug.security import check_password_hash, generate_password_hash

        with reading(self.engine) as connection:
            hashed = connection.execute(select(annotators.c.password).where(annotators.c.name == name)).scalar()
        return check_password_hash(hashed or generate_password_hash("unknown"), password) and hashed is not None

    def have_passwords(self) -> bool:
        """Return whether at least one person can sign in with a password."""
        with reading(self.engine) as connection:
            query = select(annotators.c.name).where(annotators.c.password.is_not(None)).limit(1)
            return connection.execute(query).first() is not None


@dataclass(frozen=True)
class Drafts:
    """Unfinished rewrites: at most one for each sample and annotator."""

    engine: Engine
    clock: Callable[[], float]

    def save(self, sample_id: str, annotator: str, revision: int, messages: Sequence[Message]) -> None:
        """Save an unfinished rewrite of ``revision``, in place of an earlier one."""
        values: dict[str, Any] = {
            "revision": revision,
            "messages": messages_text(messages),
            "time": _moment(self.clock),
        }
        with writing(self.engine) as connection:
            mine = (drafts.c.sample_id == sample_id, drafts.c.annotator == annotator)
            if not connection.execute(update(drafts).where(*mine).values(**values)).rowcount:
                connection.execute(insert(drafts).values(sample_id=sample_id, annotator=annotator, **values))

    def get(self, sample_id: str, annotator: str) -> Draft | None:
        """Return the annotator's unfinished rewrite of a sample."""
        query = select(drafts).where(drafts.c.sample_id == sample_id, drafts.c.annotator == annotator)
        with reading(self.engine) as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return Draft(messages=messages_from_json(json.loads(row.messages)), revision=row.revision, time=row.time)

    def drop(self, sample_id: str, annotator: str) -> None:
        """Delete an unfinished rewrite."""
        with writing(self.engine) as connection:
            drop_draft(connection, sample_id, annotator)

    def samples(self, annotator: str) -> list[str]:
        """Return the ids of the samples that the annotator has drafts of, newest draft first."""
        query = select(drafts.c.sample_id).where(drafts.c.annotator == annotator).order_by(drafts.c.time.desc())
        with reading(self.engine) as connection:
            return [row.sample_id for row in connection.execute(query)]


@dataclass(frozen=True)
class Meta:
    """What the last synchronisation and the last load of the queue have seen, by key."""

    engine: Engine

    def get(self, key: str) -> str | None:
        """Return the value of a key."""
        with reading(self.engine) as connection:
            value: str | None = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
            return value

    def set(self, key: str, value: str) -> None:
        """Store a value under a key."""
        with writing(self.engine) as connection:
            set_meta(connection, key, value)


def set_meta(connection: Connection, key: str, value: str) -> None:
    """Store a value under a key, inside a transaction."""
    if not connection.execute(update(meta).where(meta.c.key == key).values(value=value)).rowcount:
        connection.execute(insert(meta).values(key=key, value=value))


def drop_draft(connection: Connection, sample_id: str, annotator: str) -> None:
    """Delete an unfinished rewrite, inside a transaction."""
    connection.execute(delete(drafts).where(drafts.c.sample_id == sample_id, drafts.c.annotator == annotator))


def _moment(clock: Callable[[], float]) -> str:
    return datetime.fromtimestamp(clock(), UTC).isoformat(timespec="milliseconds")
