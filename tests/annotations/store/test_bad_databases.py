"""A database that cannot be used: the error message says what to do, and what was saved before stays."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import event, text

from annotations.commands.review import review
from annotations.store import database
from annotations.store.database import StoreError
from annotations.store.review_store import ReviewStore
from curation.errors import UsageError
from tests.annotations.conftest import make_item


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store = ReviewStore(f"sqlite:///{tmp_path / 'review.db'}")
    store.queue.load([make_item(i) for i in range(3)])
    store.decide(make_item(0).sample.id, "an", "approve", revision=0)
    store.close()
    return tmp_path / "review.db"


def test_locked(path, monkeypatch):
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.2)
    store = ReviewStore(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"review\.db cannot be used: database is locked.*close it"):
        store.decide(make_item(1).sample.id, "an", "approve", revision=0)
    other.execute("ROLLBACK")
    other.close()
    store.decide(make_item(1).sample.id, "an", "approve", revision=0)
    assert len(store.log.events()) == 2
    store.close()


def test_read_only(path, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store = ReviewStore(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert len(store.log.events()) == 1
    with pytest.raises(StoreError, match=r"readonly.*permissions"):
        store.decide(make_item(1).sample.id, "an", "approve", revision=0)
    store.close()
    assert list(Path().iterdir()) == []  # no folder called `file:`


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///file:/data/my%20review.db?mode=ro&uri=true", "/data/my review.db"),
        ("sqlite:///file:review.db?uri=true", "review.db"),
        ("sqlite:///file:///data/review.db?uri=true", "/data/review.db"),
        ("sqlite:///file::memory:?cache=shared&uri=true", None),
        ("sqlite:///file:shared?mode=memory&uri=true", None),
        ("sqlite:///file:review.db", "file:review.db"),  # without uri=true it is an ordinary file name
    ],
)
def test_the_file_of_a_sqlite_uri(url, file):
    assert database.sqlite_file(url) == (Path(file) if file else None)


def test_a_full_disk_loses_the_verdict_that_did_not_fit_and_nothing_else(path):
    store = ReviewStore(f"sqlite:///{path}")

    @event.listens_for(store.engine, "connect")
    def no_more_pages(connection, record):
        connection.execute("PRAGMA max_page_count = 1")  # SQLite then allows the pages that are there, no more

    store.close()
    huge = make_item(1).sample.messages * 4_000
    with pytest.raises(StoreError, match=r"full.*free some space"):
        store.decide(make_item(1).sample.id, "an", "rewrite", revision=0, messages=huge)
    assert len(store.log.events()) == 1
    assert store.queue.item(make_item(1).sample.id).status == "pending"
    store.close()


def test_something_else_than_a_database(tmp_path):
    (tmp_path / "review.db").write_text("these are my notes, not a database" * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=r"not a database.*move it away"):
        ReviewStore(f"sqlite:///{tmp_path / 'review.db'}")


def test_an_old_schema_is_migrated_and_keeps_its_events(path):
    from alembic import command
    from alembic.config import Config

    store = ReviewStore(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parents[1] / "migrations"))
    with database.writing(store.engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    store.close()
    again = ReviewStore(f"sqlite:///{path}")
    again.people.add("an")
    again.people.set_password("an", "x")
    assert again.people.check_password("an", "x")
    assert len(again.log.events()) == 1
    again.close()


def test_a_newer_schema_asks_for_a_newer_project(path):
    store = ReviewStore(f"sqlite:///{path}")
    with database.writing(store.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreError, match=r"another version of this project.*update the project"):
        ReviewStore(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("review.db", "not a database URL"),
        ("oracle+nothing://x/y", "no driver for this database"),
    ],
)
def test_something_else_than_a_database_url(url, message):
    with pytest.raises(UsageError, match=message):
        ReviewStore(url)


def test_a_server_that_does_not_run_and_its_password_is_not_shown():
    with pytest.raises(StoreError, match="REVIEW_DB names its host") as caught:
        ReviewStore("postgresql+psycopg://an:bimat@127.0.0.1:1/review?connect_timeout=2")
    assert "bimat" not in str(caught.value)


def test_a_password_is_kept_as_a_hash(tmp_path, monkeypatch):
    (tmp_path / "persona.toml").write_text("", encoding="utf-8")
    monkeypatch.delenv("REVIEW_DB", raising=False)
    result = CliRunner().invoke(
        review,
        ["annotator", "An", "--adjudicator", "--password", "--persona", str(tmp_path / "persona.toml")],
        input="lợn rừng\nlợn rừng\n",
    )
    assert result.output.endswith("An: adjudicator, with a password\n")
    assert "lợn rừng".encode() not in (tmp_path / "datasets" / "review.db").read_bytes()
    store = ReviewStore(f"sqlite:///{tmp_path / 'datasets' / 'review.db'}")
    assert store.people.check_password("An", "lợn rừng")
    assert not store.people.check_password("An", "")
    assert not store.people.check_password("B", "unknown")
    store.close()
