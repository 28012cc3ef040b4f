"""Bring a folder to the Hub: merge the card, send what differs in one commit, tag it, see that it arrived.

The folder has a README.md and a manifest.json whose ``files`` names every other file. The manifest that was published
last says which files of the repository are ours to remove; whatever else people put there stays.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.export import card_merge, manifest
from curation.files import sha256_file, write_atomically
from curation.hub.client import Hub, same


@dataclass(slots=True)
class Before:
    """A repository as it was before an upload: its newest commit, path → hash, the manifest published last."""

    hub: Hub
    commit: str
    files: dict[str, str]
    scratch: Path
    manifest: dict[str, Any] = field(default_factory=dict)

    def read(self, path: str) -> Path:
        """Download a file and return where it is: below ``scratch``, under its own path."""
        return self.hub.read(path, self.commit, self.scratch)


@dataclass(slots=True)
class Outcome:
    """What an upload did. ``commit`` is the repository's newest one, whether or not this upload made it."""

    commit: str
    changed: bool
    files: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def upload(
    hub: Hub,
    folder: Path,
    title: str,
    describe: Callable[[Before], str],
    *,
    private: bool,
    tag: str | None,
    quiet: bool,
) -> Outcome:
    """Make the repository hold what ``folder`` holds, in one commit or none; ``folder``'s card becomes the merged one.

    ``describe`` writes the commit's description from what was there before. Raises InosukeError; unless the message
    names a commit, the repository then still holds what it held.
    """
    head = hub.prepare(private)
    # Asked before anything is sent: a tag that is taken would leave a commit without its tag.
    taken = hub.tags() if tag else {}
    with tempfile.TemporaryDirectory(prefix="inosuke-hub-") as scratch:
        before = Before(hub, head, hub.files(head), Path(scratch))
        before.manifest = _published(before)
        warnings = _merge_card(before, folder)
        local = {name: folder / name for name in (*manifest.read(folder)["files"], manifest.NAME)}
        files = {n: path for n, path in local.items() if n not in before.files or not same(path, before.files[n])}
        stale = [name for name in before.manifest.get("files", {}) if name in before.files and name not in local]
        changed = bool(files or stale)
        if tag in taken and (changed or taken[tag] != head):
            raise InosukeError(
                f"{hub.repo}: the tag `{tag}` is at commit {taken[tag][:8]} already. Choose another: a tag never "
                "moves. Nothing was uploaded."
            )
        commit = hub.commit(files, stale, head, title, describe(before), quiet) if changed else head
    arrived = hub.files(commit)
    if wrong := [name for name, path in local.items() if name not in arrived or not same(path, arrived[name])]:
        raise InosukeError(f"{hub.repo}: commit {commit[:8]} has another {wrong[0]} than was sent. Publish again.")
    if tag and tag not in taken:  # only now: a tag never moves
        hub.tag(tag, commit)
    return Outcome(commit, changed, sorted(files), sorted(stale), warnings)


def _published(before: Before) -> dict[str, Any]:
    """Return the manifest that is in the repository, or nothing where the files are somebody else's."""
    if manifest.NAME not in before.files:
        return {}
    try:
        found = json.loads(before.read(manifest.NAME).read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("files"), dict) else {}


def _merge_card(before: Before, folder: Path) -> list[str]:
    """Merge the folder's card with the one on the Hub, and note in the manifest what was generated this time."""
    path = folder / manifest.CARD
    text = card_merge.marked(path.read_text(encoding="utf-8"))
    ours = card_merge.parse(text, str(path))
    about = manifest.read(folder)
    about["card"] = {"metadata": ours.data, "section": _digest(ours.section)}
    warnings = []
    if manifest.CARD in before.files:
        last = before.manifest.get("card", {})
        where = f"{before.hub.repo}/{manifest.CARD} on the Hub"
        theirs = before.read(manifest.CARD).read_bytes().decode("utf-8", "replace")
        text = card_merge.merge(text, theirs, last.get("metadata", {}), where)
        section = card_merge.parse(theirs, where).section
        if section and last and _digest(section) != last["section"]:
            warnings.append(
                "somebody edited the generated part of the card. It was replaced; their text is in commit "
                f"{before.commit[:8]}. Text above or below the marks stays."
            )
    write_atomically(path, text)
    about["files"][manifest.CARD] = sha256_file(path)
    manifest.write(about, folder)
    return warnings


def _digest(section: str | None) -> str:
    return hashlib.sha256((section or "").encode()).hexdigest()
