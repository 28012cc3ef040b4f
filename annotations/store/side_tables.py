"""The small things that a review store keeps beside the events: drafts, names, notes to itself, figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from annotations.store import events, queries, statistics
from annotations.store.database import reading, writing
from annotations.store.queries import Filters
from annotations.store.schema import annotators, drafts, meta
from annotations.store.types import Day, Draft
from curation.record import Message, messages_from_json


class Notebook:
    """What :class:`annotations.store.review_store.ReviewStore` can do that is no verdict and no lease."""

    engine: Engine
    clock: Callable[[], float]

    # ------------------------------------------------------------ drafts

    def save_draft(self, sample_id: str, annotator: str, revision: int, messages: Sequence[Message]) -> None:
        """Keep an unfinished rewrite, in place of an earlier one."""
        values: dict[str, Any] = {
            "revision": revision,
            "messages": events.messages_text(messages),
            "time": self._moment(),
        }
        with writing(self.engine) as connection:
            mine = (drafts.c.sample_id == sample_id, drafts.c.annotator == annotator)
            if not connection.execute(update(drafts).where(*mine).values(**values)).rowcount:
                connection.execute(insert(drafts).values(sample_id=sample_id, annotator=annotator, **values))

    def draft(self, sample_id: str, annotator: str) -> Draft | None:
        """Return the annotator's unfinished rewrite of a sample."""
        query = select(drafts).where(drafts.c.sample_id == sample_id, drafts.c.annotator == annotator)
        with reading(self.engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else Draft(messages_from_json(json.loads(row.messages)), row.revision, row.time)

    def drop_draft(self, sample_id: str, annotator: str) -> None:
        """Throw an unfinished rewrite away."""
        with writing(self.engine) as connection:
            drop_draft(connection, sample_id, annotator)

    def drafts(self, annotator: str) -> list[str]:
        """Return the samples of which the annotator has an unfinished rewrite, newest first."""
        query = select(drafts.c.sample_id).where(drafts.c.annotator == annotator).order_by(drafts.c.time.desc())
        with reading(self.engine) as connection:
            return [row.sample_id for row in connection.execute(query)]

    # ------------------------------------------------------------ people

    def add_annotator(self, name: str, role: str = "annotator") -> None:
        """Remember a name; one that is known keeps its role."""
        with writing(self.engine) as connection:
            if connection.execute(select(annotators.c.name).where(annotators.c.name == name)).first() is None:
                connection.execute(insert(annotators).values(name=name, role=role, added=self._moment()))

    def set_role(self, name: str, role: str) -> None:
        """Make somebody an annotator or an adjudicator."""
        with writing(self.engine) as connection:
            connection.execute(update(annotators).where(annotators.c.name == name).values(role=role))

    def set_password(self, name: str, password: str) -> None:
        """Keep the hash (scrypt) of a known annotator's password."""
        from werkzeug.security import generate_password_hash

        hashed = generate_password_hash(password)
        with writing(self.engine) as connection:
            connection.execute(update(annotators).where(annotators.c.name == name).values(password=hashed))

    def password_is(self, name: str, password: str) -> bool:
        """Say whether this is the annotator's password; as slow for a name that nobody has."""
        from werkzeug.security import check_password_hash, generate_password_hash

        with reading(self.engine) as connection:
            hashed = connection.execute(select(annotators.c.password).where(annotators.c.name == name)).scalar()
        return check_password_hash(hashed or generate_password_hash("nobody"), password) and hashed is not None

    def has_passwords(self) -> bool:
        """Say whether anybody can sign in with a password."""
        with reading(self.engine) as connection:
            query = select(annotators.c.name).where(annotators.c.password.is_not(None)).limit(1)
            return connection.execute(query).first() is not None

    def annotators(self) -> dict[str, str]:
        """Return ``{name: role}``, sorted by name."""
        with reading(self.engine) as connection:
            return {row.name: row.role for row in connection.execute(select(annotators).order_by(annotators.c.name))}

    # ------------------------------------------------------------ notes of the program to itself

    def get_meta(self, key: str) -> str | None:
        """Return what was noted under a key."""
        with reading(self.engine) as connection:
            value: str | None = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
            return value

    def set_meta(self, key: str, value: str) -> None:
        """Note something under a key."""
        with writing(self.engine) as connection:
            set_meta(connection, key, value)

    # ------------------------------------------------------------ figures

    def counts(self) -> dict[str, dict[str, int]]:
        """Return ``{kind: {status: n}}`` over the queue."""
        with reading(self.engine) as connection:
            return queries.counts(connection)

    def count(self, annotator: str, filters: Filters) -> int:
        """Return how many samples the filters let through."""
        with reading(self.engine) as connection:
            return queries.count(connection, annotator, filters)

    def choices(self) -> dict[str, list[str]]:
        """Return what each filter can be set to."""
        with reading(self.engine) as connection:
            return queries.choices(connection)

    def kinds_of(self, sample_ids: Collection[str]) -> dict[str, str]:
        """Return the kind of each of these samples."""
        with reading(self.engine) as connection:
            return queries.kinds(connection, sample_ids)

    def by_day(self) -> list[Day]:
        """Return the verdicts of each annotator by day."""
        with reading(self.engine) as connection:
            return statistics.by_day(connection)

    def by_verdict(self, annotator: str) -> dict[str, int]:
        """Return how many events of each sort an annotator made."""
        with reading(self.engine) as connection:
            return statistics.by_verdict(connection, annotator)

    def recent_times(self, annotator: str, limit: int = 50) -> Sequence[str]:
        """Return when the annotator's newest verdicts were made, newest first."""
        with reading(self.engine) as connection:
            return statistics.recent_times(connection, annotator, limit)

    def unknown_samples(self) -> int:
        """Return of how many samples the log speaks that no queue has brought."""
        with reading(self.engine) as connection:
            return statistics.unknown_samples(connection)

    def _moment(self) -> str:
        return datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds")


def set_meta(connection: Connection, key: str, value: str) -> None:
    """Note something under a key, inside a transaction."""
    if not connection.execute(update(meta).where(meta.c.key == key).values(value=value)).rowcount:
        connection.execute(insert(meta).values(key=key, value=value))


def drop_draft(connection: Connection, sample_id: str, annotator: str) -> None:
    """Throw an unfinished rewrite away, inside a transaction."""
    connection.execute(delete(drafts).where(drafts.c.sample_id == sample_id, drafts.c.annotator == annotator))
