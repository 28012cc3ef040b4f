"""Synchronise the store with ``datasets/decisions.jsonl``, and load the queue into the store.

Both sides end up with the union of their events, by id. When nothing has changed since the last time, it only hashes
the log and writes nothing: `make dataset` runs this first, every time.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from annotations.store.database import sqlite_file
from annotations.store.queue_table import Loaded
from annotations.store.review_store import ReviewStore
from curation.files import sha256_file
from curation.folders import Folders
from curation.review.decisions import Decision, Log, read_log, write_log

if TYPE_CHECKING:
    from curation.persona import Review

_SYNCED = "synced without markers"  # a log that an earlier version has seen may hold conflict markers


@dataclass(frozen=True, slots=True)
class Synced:
    """How many events a synchronisation moved, and how many samples wait for an adjudicator.

    ``damaged`` lines of the log hold no event; they stay as they are. ``markers`` of a git merge conflict were removed.
    ``conflicts`` and ``disputes`` are counted over the queue.
    """

    to_store: int = 0
    to_log: int = 0
    damaged: int = 0
    markers: int = 0
    conflicts: int = 0
    disputes: int = 0

    def to_json(self) -> dict[str, int]:
        """Return the counts as plain objects."""
        return asdict(self)


def store_exists(url: str) -> bool:
    """Return whether there is a store to open. A database server always counts as one."""
    file = sqlite_file(url)
    return file is None or file.is_file()


def sync(url: str, folders: Folders) -> Synced:
    """Synchronise the store at ``url`` with the project's log. Creates no store where there is no log either."""
    if not store_exists(url) and not folders.log.is_file():
        return Synced()
    store = ReviewStore(url)
    try:
        return sync_store(store, folders)
    finally:
        store.close()


def sync_store(store: ReviewStore, folders: Folders) -> Synced:
    """Synchronise an open store with the project's log."""
    if store.meta.get(_SYNCED) == _fingerprint(store, folders):
        return _with_waiting(store, Synced())
    log = read_log(folders.log)
    to_store = store.log.add(log.decisions)
    to_log = 0
    if log.markers or set(store.log.events()) - set(log.decisions):
        with folders.locked():
            # Read it again: another command may have written it before we held the lock.
            log = read_log(folders.log)
            to_store += store.log.add(log.decisions)
            seq, events = store.log.last_seq(), store.log.events()
            to_log = len({e.id for e in events} - {d.id for d in log.decisions})
            write_log(folders.log, Log(tuple(events), log.damaged))
    else:
        seq = store.log.last_seq()
    store.meta.set(_SYNCED, f"{_hash(folders.log)} {seq}")
    found = Synced(to_store=to_store, to_log=to_log, damaged=len(log.damaged), markers=log.markers)
    return _with_waiting(store, found)


def _with_waiting(store: ReviewStore, synced: Synced) -> Synced:
    waiting = store.queue.waiting()
    return replace(synced, conflicts=waiting.conflicts, disputes=waiting.disputes)


def known_events(store: ReviewStore, folders: Folders) -> list[Decision]:
    """Return every event of store and log together, without changing either."""
    known = {event.id: event for event in (*read_log(folders.log).decisions, *store.log.events())}
    return list(known.values())


def refresh(store: ReviewStore, folders: Folders, review: Review) -> Loaded | None:
    """Bring log, queue and persona.toml's ``[review]`` into an open store, if they have changed.

    Returns None when neither queue nor ``[review]`` has. Raises InosukeError when there is no queue yet.
    """
    from curation.review.queue import read_queue

    sync_store(store, folders)
    stamp = f"{_hash(folders.queue)} {review.overlap} {review.annotators}"
    if store.queue.stamp() == stamp:
        return None
    return store.queue.load(read_queue(folders.queue), review, stamp)


def _fingerprint(store: ReviewStore, folders: Folders) -> str:
    return f"{_hash(folders.log)} {store.log.last_seq()}"


def _hash(path: Path) -> str:
    return sha256_file(path) if path.is_file() else "none"
