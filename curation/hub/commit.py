"""Send a folder to the Hub: merge the card, send what differs in one commit, verify it, tag it.

The folder holds a README.md and a manifest.json whose ``files`` names every other file. The manifest of the last
publication tells which files in the repository are ours to remove. Files that other people put there stay.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation.contracts import MANIFEST, Manifest, read_manifest, write_manifest
from curation.errors import InosukeError
from curation.export import card_merge
from curation.export.manifest import CARD, with_card
from curation.files import write_atomically
from curation.hub.client import Hub, same


@dataclass(slots=True, kw_only=True)
class Before:
    """A repository before an upload: its newest commit, path → hash of its files, the manifest published last."""

    hub: Hub
    commit: str
    files: dict[str, str]
    scratch: Path
    manifest: Manifest | None = None

    def read(self, path: str) -> Path:
        """Download a file and return its path: the same path below ``scratch``."""
        return self.hub.read(path, self.commit, self.scratch)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What an upload did. ``commit`` is the newest commit of the repository, whether or not this upload made it."""

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
    front_matter: Callable[[Mapping[str, Any]], dict[str, Any]] = dict,
    private: bool,
    tag: str | None,
    quiet: bool,
) -> Outcome:
    """Make the repository hold what ``folder`` holds, in at most one commit.

    The card in ``folder`` is replaced by the merged one, whose YAML data ``front_matter`` checks and may correct.
    ``describe`` returns the description of the commit, given what was there before. Raises InosukeError; the repository
    is then unchanged unless the message names a commit.
    """
    head = hub.prepare(private)
    # Checked before anything is sent: a tag that exists would leave a commit without its tag.
    existing = hub.tags() if tag else {}
    with tempfile.TemporaryDirectory(prefix="inosuke-hub-") as scratch:
        before = Before(hub=hub, commit=head, files=hub.files(head), scratch=Path(scratch))
        before.manifest = _published(before)
        warnings = _merge_card(before, folder, front_matter)
        local = {name: folder / name for name in (*read_manifest(folder).files, MANIFEST)}
        files = {n: path for n, path in local.items() if n not in before.files or not same(path, before.files[n])}
        ours = before.manifest.files if before.manifest else {}
        stale = [name for name in ours if name in before.files and name not in local]
        changed = bool(files or stale)
        if tag in existing and (changed or existing[tag] != head):
            raise InosukeError(
                f"{hub.repo}: the tag `{tag}` already names commit {existing[tag][:8]}. Choose another: a tag never "
                "moves. Nothing was uploaded."
            )
        commit = head
        if changed:
            commit = hub.commit(files, stale, parent=head, title=title, description=describe(before), quiet=quiet)
    arrived = hub.files(commit)
    if wrong := [name for name, path in local.items() if name not in arrived or not same(path, arrived[name])]:
        raise InosukeError(
            f"{hub.repo}: {wrong[0]} in commit {commit[:8]} differs from the file that was sent. Publish again."
        )
    if tag and tag not in existing:  # last of all, because a tag never moves
        hub.tag(tag, commit)
    return Outcome(commit=commit, changed=changed, files=sorted(files), deleted=sorted(stale), warnings=warnings)


def _published(before: Before) -> Manifest | None:
    """Return the manifest in the repository, or None if there is none that this project wrote."""
    if MANIFEST not in before.files:
        return None
    folder = before.read(MANIFEST).parent
    try:
        return read_manifest(folder)
    except InosukeError:  # another program's manifest.json: none of the files is ours to remove
        return None


def _merge_card(before: Before, folder: Path, front_matter: Callable[[Mapping[str, Any]], dict[str, Any]]) -> list[str]:
    """Merge the card in ``folder`` with the one on the Hub and record the generated part in the manifest.

    Return warnings.
    """
    path = folder / CARD
    text = card_merge.marked(path.read_text(encoding="utf-8"))
    ours = card_merge.parse(text, str(path))
    warnings = []
    if CARD in before.files:
        last = (before.manifest.card if before.manifest else None) or {}
        where = f"{before.hub.repo}/{CARD} on the Hub"
        theirs = before.read(CARD).read_bytes().decode("utf-8", "replace")
        text = card_merge.merge(text, theirs, last.get("metadata", {}), where, front_matter)
        section = card_merge.parse(theirs, where).section
        if section and last and _digest(section) != last["section"]:
            warnings.append(
                "the generated part of the card was edited by hand. It was replaced; the edited text is in commit "
                f"{before.commit[:8]}. Text above or below the marks stays."
            )
    write_atomically(path, text)
    generated = {"metadata": ours.data, "section": _digest(ours.section)}
    write_manifest(folder, with_card(read_manifest(folder).model_copy(update={"card": generated}), folder))
    return warnings


def _digest(section: str | None) -> str:
    return hashlib.sha256((section or "").encode()).hexdigest()
