"""A desk with many samples, one server for a file of tests, and a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from curation.folders import Folders
from curation.persona import load_persona
from curation.review.queue import write_queue
from tests.annotations.conftest import make_item
from tests.annotations.ui.desk_browser import Annotator, annotators, launch
from tests.annotations.ui.desk_server import ROOT, Server

# Each test takes samples of its own: a file of the queue that no other test filters by.
FILES, SAMPLES = 24, 24


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Chromium, for one file of tests: while it runs, no other file can start one or call `asyncio.run`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = launch(playwright)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, ReviewStore]]:
    """A running desk."""
    root = tmp_path_factory.mktemp("desk")
    (root / "persona.toml").write_text((ROOT / "persona.toml").read_text(encoding="utf-8"), encoding="utf-8")
    folders = Folders(root)
    items = [make_item(n, path=f"file-{n // SAMPLES}.jsonl") for n in range(FILES * SAMPLES)]
    write_queue(items, folders.queue)
    store = ReviewStore(f"sqlite:///{folders.datasets / 'review.db'}")
    refresh(store, folders, load_persona(root / "persona.toml").review)
    server = Server(root)
    server.start()
    yield server, store
    if server.process is not None and server.process.poll() is None:
        server.stop()
    store.close()


_taken = iter(range(10**6))


@pytest.fixture
def annotator(chromium: Any, desk: tuple[Server, ReviewStore]) -> Iterator[Callable[..., Annotator]]:
    """Make annotators, each with samples of their own: ``annotator()``."""
    with annotators(chromium, *desk) as make:
        yield lambda **address: make(source=f"file-{next(_taken) % FILES}.jsonl", **address)
