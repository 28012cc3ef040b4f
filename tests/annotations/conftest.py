"""A review store on SQLite and on PostgreSQL: every test that asks for ``store`` runs on both."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from annotations.store.review_store import ReviewStore
from curation.record import Flag, Kind, Message, Sample, Source, sample_id
from curation.review.queue import QueueItem

_databases = count()


def _postgres_bin() -> Path | None:
    """Return the folder of PostgreSQL's server programs, which Debian keeps out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a private PostgreSQL on a free loopback port; yield the URL of its server, without a database."""
    programs = _postgres_bin()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    # The server refuses to run as root; in a container the tests often do.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="review-pg-"))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if as_user:
        shutil.chown(data, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [*as_user, str(programs / program), *arguments], check=True, capture_output=True, cwd=data, timeout=120
        )

    run("initdb", "-D", str(data), "-U", "review", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    # fsync off: the tests kill programs, not the machine.
    options = f"-h 127.0.0.1 -p {port} -k {data} -c fsync=off -c max_connections=60"
    run("pg_ctl", "start", "-w", "-D", str(data), "-l", str(data / "log"), "-o", options)
    try:
        yield f"postgresql+psycopg://review@127.0.0.1:{port}"
    finally:
        run("pg_ctl", "stop", "-w", "-D", str(data), "-m", "immediate")
        shutil.rmtree(folder, ignore_errors=True)


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
