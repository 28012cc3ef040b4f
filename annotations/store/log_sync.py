"""The store and ``datasets/decisions.jsonl`` made the same, and the queue brought into the store.

The union of event ids, on both sides. When nothing has changed since the last time, nothing is read but one hash and
nothing is written: `make dataset` runs this first, every time.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from annotations.store.database import sqlite_file
from annotations.store.queue_table import Loaded, Overlap
from annotations.store.review_store import ReviewStore
from curation.errors import InosukeError
from curation.files import sha256_file
from curation.folders import Folders
from curation.review.decisions import Decision, Log, read_log, write_log

_SYNCED = "synced"


@dataclass(frozen=True, slots=True)
class Synced:
    """What a synchronisation moved. ``damaged`` are lines of the log that hold no event; they are kept as they are."""

    to_store: int = 0
    to_log: int = 0
    damaged: int = 0

    def to_json(self) -> dict[str, int]:
        """Return the counts as plain objects."""
        return asdict(self)


def store_exists(url: str) -> bool:
    """Say whether there is a store to open; a database server is always taken to have one."""
    file = sqlite_file(url)
    return file is None or file.is_file()


def sync(url: str, folders: Folders) -> Synced:
    """Make the store at ``url`` and the project's log the same. Makes no store where the log has nothing for one."""
    if not store_exists(url) and not folders.log.is_file():
        return Synced()
    store = ReviewStore(url)
    try:
        return sync_store(store, folders)
    finally:
        store.close()


def sync_store(store: ReviewStore, folders: Folders) -> Synced:
    """Make an open store and the project's log the same."""
    if store.get_meta(_SYNCED) == _fingerprint(store, folders):
        return Synced()
    log = read_events(folders.log)
    to_store = store.add_events(log.decisions)
    to_log = 0
    if set(store.events()) - set(log.decisions):
        with folders.locked():
            # Read again: another command may have written it before we held the lock.
            log = read_events(folders.log)
            to_store += store.add_events(log.decisions)
            seq, events = store.last_seq(), store.events()
            to_log = len({e.id for e in events} - {d.id for d in log.decisions})
            write_log(folders.log, Log(tuple(events), log.damaged))
    else:
        seq = store.last_seq()
    store.set_meta(_SYNCED, f"{_hash(folders.log)} {seq}")
    return Synced(to_store, to_log, len(log.damaged))


def known_events(store: ReviewStore, folders: Folders) -> list[Decision]:
    """Return every event of store and log together, and change neither."""
    known = {event.id: event for event in (*read_events(folders.log).decisions, *store.events())}
    return list(known.values())


def refresh(store: ReviewStore, folders: Folders, overlap: Overlap) -> Loaded | None:
    """Bring log and queue into an open store if they have changed. Returns None when the queue has not.

    Raises InosukeError when there is no queue yet.
    """
    from curation.review.queue import read_queue

    sync_store(store, folders)
    stamp = f"{_hash(folders.queue)} {overlap.share} {overlap.annotators}"
    if store.queue_stamp() == stamp:
        return None
    return store.load_queue(read_queue(folders.queue), overlap, stamp)


def read_events(path: Path) -> Log:
    """Read a log. Raises InosukeError where the file is no text or may not be read."""
    try:
        return read_log(path)
    except (OSError, UnicodeDecodeError) as error:
        raise InosukeError(
            f"{path}: cannot be read ({error}). Expected a review log, UTF-8 text. Mend the file or its permissions, "
            "or take it from git again; nothing was changed."
        ) from error


def _fingerprint(store: ReviewStore, folders: Folders) -> str:
    return f"{_hash(folders.log)} {store.last_seq()}"


def _hash(path: Path) -> str:
    return sha256_file(path) if path.is_file() else "none"
