"""The store of a project, opened for one command. Loads nothing heavy until it is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from annotations.store.review_store import ReviewStore
    from curation.folders import Folders


@contextmanager
def opened(persona_file: Path) -> Iterator[tuple[ReviewStore, Folders]]:
    """Open the store with log, queue, ``[review]`` and the team's records brought up to date; close it at the end."""
    from annotations.store.database import store_url
    from annotations.store.log_sync import refresh
    from annotations.store.review_store import ReviewStore
    from annotations.team.books import sync_books
    from curation.folders import Folders
    from curation.persona import load_persona

    persona = load_persona(persona_file)
    folders = Folders(persona.root)
    store = ReviewStore(store_url(persona.root))
    try:
        refresh(store, folders, persona.review)
        sync_books(store, folders)
        yield store, folders
    finally:
        store.close()
