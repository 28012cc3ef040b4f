"""Sending a folder to the Hub: what is sent, what is deleted, what stays."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from curation.contracts.manifest import Manifest, write_manifest
from curation.errors import InosukeError
from curation.files import sha256_file
from curation.hub.client import Hub
from curation.hub.commit import Before, Outcome, draft, look, send
from tests.tools.hub import WRITER, FakeHub

REPO = "writer/lines"


def make(folder: Path, **files: str) -> Path:
    """Make a folder with a card, these text files and a manifest of them."""
    folder.mkdir()
    for name, text in {"README.md": "---\nlicense: mit\n---\n\n# Lines\n"}.items() | files.items():
        (folder / name).write_text(text, encoding="utf-8")
    hashes = {path.name: sha256_file(path) for path in sorted(folder.iterdir())}
    write_manifest(folder, Manifest(version="0123456789ab", files=hashes))
    return folder


def _describe(before: Before) -> str:
    return f"before: {before.manifest.version if before.manifest else 'nothing'}"


def _upload(folder: Path, tag: str | None) -> Outcome:
    os.environ["HF_TOKEN"] = WRITER
    hub = Hub(REPO, "dataset")
    with tempfile.TemporaryDirectory() as scratch:
        before = look(hub, REPO, Path(scratch), private=False)
        wanted = draft(before, folder, tag=tag)
        return send(wanted, hub, "Lines", _describe(before), private=False, tag=tag, quiet=True)


def test_only_what_differs_is_sent_and_only_our_own_stale_files_are_deleted(
    hub: FakeHub, worker: ProcessPoolExecutor, tmp_path: Path
) -> None:
    first = worker.submit(_upload, make(tmp_path / "1", one="1", two="2"), "v1").result()
    assert (first.changed, first.files, first.deleted, first.warnings) == (
        True,
        ["README.md", "manifest.json", "one", "two"],
        [],
        [],
    )
    hub.edit(REPO, "by-hand.txt", b"kept")
    second = worker.submit(_upload, make(tmp_path / "2", one="1", three="3"), None).result()
    assert (second.files, second.deleted) == (["manifest.json", "three"], ["two"])
    assert sorted(hub[REPO].head.files) == [
        ".gitattributes", "README.md", "by-hand.txt", "manifest.json", "one", "three"
    ]  # fmt: skip
    assert [commit.description for commit in hub[REPO].commits] == [
        "", "before: nothing", "", "before: 0123456789ab"
    ]  # fmt: skip
    third = worker.submit(_upload, make(tmp_path / "3", one="1", three="3"), "v2").result()
    assert (third.changed, third.commit) == (False, second.commit)
    assert hub[REPO].tags == {"v1": first.commit, "v2": second.commit}


def test_a_manifest_of_another_program_is_replaced_and_its_files_stay(
    hub: FakeHub, worker: ProcessPoolExecutor, tmp_path: Path
) -> None:
    worker.submit(_upload, make(tmp_path / "1"), None).result()
    hub.edit(REPO, "theirs.txt", b"kept")
    hub.edit(REPO, "manifest.json", b'{"files": ["theirs.txt"]}')
    done = worker.submit(_upload, make(tmp_path / "2"), None).result()
    assert (done.files, done.deleted) == (["manifest.json"], [])
    assert hub[REPO].head.files["theirs.txt"] == b"kept"


def test_a_tag_at_another_commit_stops_the_upload(hub: FakeHub, worker: ProcessPoolExecutor, tmp_path: Path) -> None:
    first = worker.submit(_upload, make(tmp_path / "1", one="1"), "v1").result()
    with pytest.raises(InosukeError, match=f"the tag `v1` already names commit {first.commit[:8]}"):
        worker.submit(_upload, make(tmp_path / "2", one="2"), "v1").result()
    assert hub[REPO].head.oid == first.commit
