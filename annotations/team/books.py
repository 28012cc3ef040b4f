"""The team's records in the store, and their synchronisation with the files in git beside the review log.

Comes in: records (:mod:`curation.review.records`). Knows nothing of what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from sqlalchemy import Engine, insert, select

from annotations.store.database import one_at_a_time, reading, writing
from annotations.store.events_table import time_of
from annotations.store.review_store import ReviewStore
from annotations.store.schema import records
from curation.folders import Folders
from curation.review.records import Record, Records, ordered, read_records, write_records

Name: TypeAlias = Literal["audits", "choices", "same_meaning"]


@dataclass(frozen=True)
class Books:
    """The records of a store, by book. Each public method is one transaction."""

    engine: Engine
    clock: Callable[[], float]

    def now(self) -> str:
        """Return the time of a new record."""
        return time_of(self.clock)

    def add(self, book: Name, found: Iterable[Record]) -> int:
        """Add the records that are not there yet, by id. Returns how many were new."""
        incoming = {record["id"]: record for record in ordered(found)}
        if not incoming:
            return 0
        with writing(self.engine) as connection:
            one_at_a_time(connection)
            known = {row.id for row in connection.execute(select(records.c.id).where(records.c.book == book))}
            new = [
                {"id": key, "book": book, "time": record["time"], "body": json.dumps(record)}
                for key, record in incoming.items()
                if key not in known
            ]
            if new:
                connection.execute(insert(records), new)
            return len(new)

    def read(self, book: Name) -> list[Record]:
        """Return a book's records, oldest first."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(records.c.body).where(records.c.book == book))
            return ordered(json.loads(row.body) for row in rows)


def books_of(store: ReviewStore) -> Books:
    """Return the records of an open store."""
    return Books(store.engine, store.clock)


@dataclass(frozen=True, slots=True)
class BooksSynced:
    """How many records a synchronisation moved; ``damaged`` lines of the files stay as they are."""

    to_store: int = 0
    to_files: int = 0
    damaged: int = 0


def files_of(folders: Folders) -> dict[Name, Path]:
    """Return each book's file."""
    return {"audits": folders.audits, "choices": folders.choices, "same_meaning": folders.same_meaning}


def sync_books(store: ReviewStore, folders: Folders) -> BooksSynced:
    """Give store and files the union of their records. A file is not created where there is nothing to write.

    Raises InosukeError where a file cannot be read or written.
    """
    books = books_of(store)
    total = BooksSynced()
    for book, path in files_of(folders).items():
        content = read_records(path)
        to_store = books.add(book, content.records)
        to_file = 0
        if content.markers or _missing(books.read(book), content):
            with folders.locked():
                # Read it again: another command may have written it before we held the lock.
                content = read_records(path)
                to_store += books.add(book, content.records)
                everything = books.read(book)
                to_file = _missing(everything, content)
                write_records(path, Records(tuple(everything), content.damaged))
        total = BooksSynced(
            to_store=total.to_store + to_store,
            to_files=total.to_files + to_file,
            damaged=total.damaged + len(content.damaged),
        )
    return total


def _missing(everything: Iterable[Record], content: Records) -> int:
    there = {record["id"] for record in content.records}
    return sum(record["id"] not in there for record in everything)
