"""The review store's database: SQLite or PostgreSQL, opened, migrated, and its errors turned into error messages.

Knows nothing of what is in the tables.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from annotations.store.schema import HEAD
from curation.errors import InosukeError, UsageError

T = TypeVar("T")

# How long a writer waits for another. A verdict is quick; only a backup or a stuck disk takes this long.
_BUSY_SECONDS = 30


class StoreError(InosukeError):
    """The database cannot be used: locked, read-only, full, damaged, unreachable, or of another version."""


def store_url(root: Path) -> str:
    """Return the URL of the project's review store: REVIEW_DB, or else ``datasets/review.db`` in SQLite."""
    return os.environ.get("REVIEW_DB") or f"sqlite:///{(root / 'datasets' / 'review.db').as_posix()}"


def in_batches(values: Iterable[T], size: int = 10_000) -> Iterator[list[T]]:
    """Yield the values in lists that one statement can name: SQLite takes 32,766 parameters at once."""
    every = list(values)
    for start in range(0, len(every), size):
        yield every[start : start + size]


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite URL, None for any other database and for one in memory."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UsageError(
            f"REVIEW_DB is {url!r}, which is not a database URL. Expected sqlite:///path/to/review.db or "
            "postgresql+psycopg://user:password@host/name."
        ) from None
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    database = str(parsed.database)
    if not (database.startswith("file:") and "uri" in parsed.query):
        return Path(database)
    # SQLite's own URIs (https://sqlite.org/uri.html): `file:` is not part of the path.
    path = url2pathname(urlsplit(database).path)
    return None if parsed.query.get("mode") == "memory" or path in ("", ":memory:") else Path(path)


def open_engine(url: str) -> Engine:
    """Connect, create the file if it is missing, and migrate the schema. Raises StoreError or UsageError."""
    file = sqlite_file(url)
    try:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        engine = (
            _sqlite(url) if make_url(url).get_backend_name() == "sqlite" else create_engine(url, pool_pre_ping=True)
        )
    except (NoSuchModuleError, ImportError) as error:
        raise UsageError(
            f"{_shown(url)}: there is no driver for this database ({error}). "
            "Expected sqlite:///… or postgresql+psycopg://…."
        ) from None
    except OSError as error:
        raise StoreError(f"{file}: its folder cannot be created ({error.strerror}). Change its permissions.") from error
    try:
        with explained(engine):
            _migrate(engine)
    except InosukeError:
        engine.dispose()
        raise
    return engine


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def settings(connection: Any, record: Any) -> None:
        # The driver begins transactions late, which would let two writers read the same state: we begin them.
        connection.isolation_level = None
        cursor = connection.cursor()
        # Ask before setting journal_mode: setting it takes a write lock, which a reader does not need.
        if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # a verdict that was shown as saved survives a power cut
        cursor.execute("PRAGMA cache_size=-65536")  # 64 MiB: the indexes of a large queue
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            _begin_writing(connection.connection.dbapi_connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _begin_writing(connection: Any) -> None:
    """Take SQLite's one write lock, trying again after a few random milliseconds.

    SQLite's own waiting backs off, and so can lose to busier writers until it gives up. Short random waits let each of
    several processes that write without a pause through.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.0005, 0.008))  # noqa: S311 (spreads writers out, guards nothing)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that only reads."""
    with explained(engine), engine.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that writes: all of it is kept or nothing. On SQLite it takes the write lock at its start."""
    with explained(engine), engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def one_at_a_time(connection: Connection) -> None:
    """Wait until no other transaction holds this lock, then hold it to the end: for migrations, queues, merged logs.

    Verdicts do not take it and are not held up. SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(730514)"))  # any number that nothing else here uses


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn a database error into a StoreError that says what happened and what to do."""
    try:
        yield
    except sqlite3.Error as error:  # from our own begin and settings, below SQLAlchemy
        raise StoreError(_message(engine, str(error))) from error
    except DBAPIError as error:
        raise StoreError(_message(engine, str(error.orig))) from error
    except SQLAlchemyError as error:
        raise StoreError(_message(engine, str(error))) from error


# A piece of the driver's message → what to do.
_ADVICE = {
    "locked": "Another program has kept it locked for 30 s: close it (a database browser, a backup) and try again.",
    "readonly": "It cannot be written to: change the permissions of the file and of its folder.",
    "read-only": "It cannot be written to: change the permissions of the file and of its folder.",
    "unable to open": "Check that its folder exists and can be written to.",
    "full": "The disk is full: free some space; nothing that was saved is lost.",
    "malformed": "The file is damaged: move it away and run `inosuke review sync`, which rebuilds it from the log.",
    "not a database": "The file is something else: move it away and run `inosuke review sync`.",
    "connect": "Check that the server runs and that REVIEW_DB names its host, port, user, password and database.",
    "No space left": "The server's disk is full: free some space; nothing that was saved is lost.",
}


def _message(engine: Engine, message: str) -> str:
    advice = next((words for piece, words in _ADVICE.items() if piece.lower() in message.lower()), "")
    where = engine.url.database if engine.url.get_backend_name() == "sqlite" else _shown(str(engine.url))
    first = message.strip().split("\n")[0]
    return f"the review store {where} cannot be used: {first}. {advice}".strip()


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


# ---------------------------------------------------------------- migrations


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        version = _version(connection)
    if version == HEAD:
        return
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        one_at_a_time(connection)
        _upgrade(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"the review store was written by another version of this project ({error}). "
            "Expected a schema that this version knows: update the project, or name another store with REVIEW_DB."
        ) from error
