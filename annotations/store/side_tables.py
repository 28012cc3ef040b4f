"""The tables beside events and samples: annotators, drafts, and what the program notes for itself.

Each public method is one transaction.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, delete, insert, select, update

from annotations.store.database import one_at_a_time, reading, writing
from annotations.store.events_table import messages_text, time_of
from annotations.store.schema import annotators, discarded_drafts, drafts, meta
from annotations.store.types import Draft
from curation.errors import UsageError
from curation.record import Message, messages_from_json


@dataclass(frozen=True)
class People:
    """Who may review: names, roles (``annotator`` or ``adjudicator``) and passwords."""

    engine: Engine
    clock: Callable[[], float]

    def add(self, name: str, role: str = "annotator") -> None:
        """Add an annotator; one who is known keeps their role. Raises UsageError for a name without a letter."""
        _check_name(name)
        with writing(self.engine) as connection:
            if connection.execute(select(annotators.c.name).where(annotators.c.name == name)).first() is None:
                connection.execute(insert(annotators).values(name=name, role=role, added=time_of(self.clock)))

    def join(self, typed: str, adjudicates: bool = False) -> str:
        """Return the person that a typed name means, added if there is none. Raises UsageError for an empty name.

        Spaces, case and the composition of letters make no other person. Only the very first person may become an
        adjudicator this way.
        """
        name = " ".join(unicodedata.normalize("NFC", typed).split())
        _check_name(name)
        with writing(self.engine) as connection:
            one_at_a_time(connection)
            known = [row.name for row in connection.execute(select(annotators.c.name))]
            same = (n for n in known if unicodedata.normalize("NFC", n).casefold() == name.casefold())
            found = name if name in known else next(same, None)
            if found is not None:
                return found
            role = "adjudicator" if adjudicates and not known else "annotator"
            connection.execute(insert(annotators).values(name=name, role=role, added=time_of(self.clock)))
            return name

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

    def mark(self, name: str) -> str | None:
        """Return a text that changes with the person's password, None for a person who is not known."""
        with reading(self.engine) as connection:
            row = connection.execute(select(annotators.c.password).where(annotators.c.name == name)).first()
        return None if row is None else hashlib.sha256((row.password or "").encode()).hexdigest()[:16]

    def have_passwords(self) -> bool:
        """Return whether at least one person can sign in with a password."""
        with reading(self.engine) as connection:
            query = select(annotators.c.name).where(annotators.c.password.is_not(None)).limit(1)
            return connection.execute(query).first() is not None


@dataclass(frozen=True)
class Drafts:
    """Unfinished rewrites: at most one for each sample and annotator.

    A draft ends when a rewrite uses it or when its annotator discards it by name. Other verdicts leave it.
    """

    engine: Engine
    clock: Callable[[], float]

    def save(self, sample_id: str, annotator: str, revision: int, messages: Sequence[Message]) -> None:
        """Save an unfinished rewrite of ``revision``, in place of an earlier one."""
        draft = Draft(messages=tuple(messages), revision=revision, time=time_of(self.clock))
        with writing(self.engine) as connection:
            put_draft(connection, sample_id, annotator, draft)

    def get(self, sample_id: str, annotator: str) -> Draft | None:
        """Return the annotator's unfinished rewrite of a sample."""
        with reading(self.engine) as connection:
            return find_draft(connection, sample_id, annotator)

    def drop(self, sample_id: str, annotator: str) -> None:
        """Discard an unfinished rewrite. The last one that was discarded is kept for :meth:`restore`."""
        mine = (discarded_drafts.c.sample_id == sample_id, discarded_drafts.c.annotator == annotator)
        with writing(self.engine) as connection:
            draft = _draft(connection, drafts, sample_id, annotator)
            if draft is None:
                return
            connection.execute(delete(discarded_drafts).where(*mine))
            connection.execute(insert(discarded_drafts).values(**draft._mapping))
            drop_draft(connection, sample_id, annotator)

    def restore(self, sample_id: str, annotator: str) -> Draft | None:
        """Undo the last discard. Returns the draft; None where none was discarded or a newer draft is there."""
        mine = (discarded_drafts.c.sample_id == sample_id, discarded_drafts.c.annotator == annotator)
        with writing(self.engine) as connection:
            draft = _draft(connection, discarded_drafts, sample_id, annotator)
            if draft is None or _draft(connection, drafts, sample_id, annotator) is not None:
                return None
            connection.execute(insert(drafts).values(**draft._mapping))
            connection.execute(delete(discarded_drafts).where(*mine))
            return _from_row(draft)

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

    def setdefault(self, key: str, value: str) -> str:
        """Return the value of a key; if it has none, store this one. Processes that ask at once get one answer."""
        found = self.get(key)
        if found is not None:
            return found
        with writing(self.engine) as connection:
            one_at_a_time(connection)
            there: str | None = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
            if there is not None:
                return there
            connection.execute(insert(meta).values(key=key, value=value))
            return value


def set_meta(connection: Connection, key: str, value: str) -> None:
    """Store a value under a key, inside a transaction."""
    if not connection.execute(update(meta).where(meta.c.key == key).values(value=value)).rowcount:
        connection.execute(insert(meta).values(key=key, value=value))


def find_draft(connection: Connection, sample_id: str, annotator: str) -> Draft | None:
    """Return an annotator's unfinished rewrite of a sample, inside a transaction."""
    row = _draft(connection, drafts, sample_id, annotator)
    return None if row is None else _from_row(row)


def put_draft(connection: Connection, sample_id: str, annotator: str, draft: Draft) -> None:
    """Save an unfinished rewrite in place of an earlier one, inside a transaction."""
    values = {"revision": draft.revision, "messages": messages_text(draft.messages), "time": draft.time}
    mine = (drafts.c.sample_id == sample_id, drafts.c.annotator == annotator)
    if not connection.execute(update(drafts).where(*mine).values(**values)).rowcount:
        connection.execute(insert(drafts).values(sample_id=sample_id, annotator=annotator, **values))


def _draft(connection: Connection, table: Table, sample_id: str, annotator: str) -> Row[Any] | None:
    return connection.execute(
        select(table).where(table.c.sample_id == sample_id, table.c.annotator == annotator)
    ).first()


def _from_row(row: Row[Any]) -> Draft:
    return Draft(messages=messages_from_json(json.loads(row.messages)), revision=row.revision, time=row.time)


def drop_draft(connection: Connection, sample_id: str, annotator: str) -> None:
    """Delete an unfinished rewrite, inside a transaction."""
    connection.execute(delete(drafts).where(drafts.c.sample_id == sample_id, drafts.c.annotator == annotator))


def _check_name(name: str) -> None:
    if not any(c.isalnum() for c in name):
        raise UsageError(f"{name!r} is not a name. An annotator's name has at least one letter or digit.")
