"""One repository through the real client library, against the stand-in for the Hub."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from curation.errors import InosukeError
from curation.hub.client import Hub, check_name, git_hash, same
from tests.tools.hub import WRITER, FakeHub

REPO = "writer/lines"


def test_a_file_has_the_hash_that_git_gives_it(tmp_path: Path) -> None:
    # printf 'hello\n' | git hash-object --stdin
    assert git_hash(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"
    file = tmp_path / "hello"
    file.write_bytes(b"hello\n")
    assert same(file, git_hash(b"hello\n")) and same(file, hashlib.sha256(b"hello\n").hexdigest())
    assert not same(file, git_hash(b"hello")) and not same(file, "0" * 64)


def test_only_owner_and_name_are_a_repository_name() -> None:
    check_name("me/lines")
    for name in ("lines", "a/b/c", "me/", "me/two words", ""):
        with pytest.raises(InosukeError, match=r"is not a repository name .*Expected OWNER/NAME"):
            check_name(name)


def _commit_twice(folder: Path) -> tuple[dict[str, str], dict[str, str], str]:
    os.environ["HF_TOKEN"] = WRITER
    hub = Hub(REPO, "dataset")
    hub.sign_in()
    assert hub.look() is None
    head = hub.create(private=True).commit
    files = {name: folder / name for name in ("a.txt", "b.parquet")}
    first = hub.commit(files, [], parent=head, title="two files", description="", quiet=True)
    second = hub.commit({}, ["a.txt"], parent=first, title="one file", description="", quiet=True)
    hub.tag("v1", second)
    text = hub.read("a.txt", first, folder / "back").read_text(encoding="utf-8")
    return hub.files(second), hub.tags(), text


def test_a_commit_adds_and_deletes_files_and_can_be_tagged_and_read(
    hub: FakeHub, worker: ProcessPoolExecutor, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("Ta!", encoding="utf-8")
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    files, tags, text = worker.submit(_commit_twice, tmp_path).result()
    assert {name: digest for name, digest in files.items() if name != ".gitattributes"} == {
        "b.parquet": hashlib.sha256(b"PAR1").hexdigest()
    }
    assert (tags, text) == ({"v1": hub[REPO].head.oid}, "Ta!")
    assert [commit.title for commit in hub[REPO].commits] == ["initial commit", "two files", "one file"]
    assert hub[REPO].private
