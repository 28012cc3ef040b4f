"""A review store on SQLite and on PostgreSQL: every test that asks for ``store`` runs on both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from annotations.store.review_store import ReviewStore
from curation.record import Flag, Kind, Message, Sample, Source, sample_id
from curation.review.queue import QueueItem
from tests.tools.postgres import programs, serving

_databases = count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a private PostgreSQL on a free loopback port; yield the URL of its server, without a database."""
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    # Not durable: the tests kill programs, not the machine.
    with serving(found, durable=False) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'review.db'}"
    server: str = request.getfixturevalue("postgres")
    name = f"review_{next(_databases)}"
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{server}/{name}"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[ReviewStore]:
    opened = ReviewStore(url, clock=clock)
    yield opened
    opened.close()


def make_item(
    number: int,
    *,
    kind: Kind = "conversation",
    reply: str | None = None,
    prompt: str | None = None,
    flags: tuple[Flag, ...] = (),
    cluster: str | None = None,
    language: str = "vi",
    path: str = "doi-thoai.jsonl",
    name: str | None = None,
) -> QueueItem:
    """Return a queue item with a unique line."""
    messages = (
        Message("user", prompt or f"Ngươi đã leo mấy ngọn núi rồi, lần thứ {number}?", name),
        Message("assistant", reply or f"Ta leo {number} ngọn rồi! Ngọn nào cũng thua ta!"),
    )
    source = Source(path=path, sha256="0" * 64, locator=f"row {number}", importer="rows")
    return QueueItem(
        Sample(
            id=sample_id(kind, messages),
            kind=kind,
            messages=messages,
            language=language,
            topic=None,
            source=source,
            flags=flags,
        ),
        cluster,
    )


@pytest.fixture
def item() -> Callable[..., QueueItem]:
    return make_item
