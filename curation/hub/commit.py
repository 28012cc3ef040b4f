"""Send a folder to the Hub: merge the card, find what differs, send it in one commit, verify it, tag it.

The folder holds a README.md and a manifest.json whose ``files`` names every other file. The manifest of the last
publication tells which files in the repository are ours to remove. Files that other people put there stay.
:func:`draft` only reads; :func:`send` makes the commit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation.contracts.manifest import MANIFEST, Manifest, read_manifest, write_manifest
from curation.errors import InosukeError
from curation.export import card_merge
from curation.export.manifest import CARD, with_card
from curation.files import write_atomically
from curation.hub.client import Hub, HubUnreachable, Remote, RepoType, same

FrontMatter = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(slots=True, kw_only=True)
class Before:
    """A repository before an upload, and the manifest that was published last.

    ``hub`` is None where the Hub is not asked, ``remote`` where the repository does not exist yet.
    """

    repo: str
    hub: Hub | None
    remote: Remote | None
    scratch: Path
    manifest: Manifest | None = None

    @property
    def files(self) -> dict[str, str]:
        """Path → hash of the files in the repository."""
        return self.remote.files if self.remote else {}

    @property
    def commit(self) -> str:
        """The newest commit."""
        return self.remote.commit if self.remote else ""

    def read(self, path: str) -> Path:
        """Download a file and return its path: the same path below ``scratch``."""
        assert self.hub is not None and self.remote is not None  # a path that is in `files`
        return self.hub.read(path, self.commit, self.scratch)

    def card(self) -> str | None:
        """Return the text of the card, or None if there is none."""
        return self.read(CARD).read_bytes().decode("utf-8", "replace") if CARD in self.files else None


@dataclass(slots=True, kw_only=True)
class Draft:
    """What an upload will do.

    ``local`` is path → local file of all that we publish, ``files`` the part of it that differs, ``stale`` what goes.
    """

    before: Before
    local: dict[str, Path]
    files: dict[str, Path]
    stale: list[str]
    tags: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether a commit is needed."""
        return bool(self.files or self.stale)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What an upload did. ``commit`` is the newest commit of the repository, whether or not this upload made it."""

    commit: str
    changed: bool
    files: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def look(hub: Hub | None, repo: str, scratch: Path, *, private: bool) -> Before:
    """Return the repository as it is, with the manifest of the last publication.

    Raises InosukeError for a token that may not write, for a repository that was renamed, and where ``private`` is
    wanted and it is public.
    """
    remote = None
    if hub is not None:
        hub.sign_in()
        remote = hub.look()
        if private and remote and not remote.private:
            raise InosukeError(
                f"{repo} is public, and --private applies only to a new repository. Nothing was uploaded. "
                "Make it private in its settings, or leave --private out to publish what may be public."
            )
    before = Before(repo=repo, hub=hub, remote=remote, scratch=scratch)
    before.manifest = _published(before)
    return before


def draft(
    before: Before,
    folder: Path,
    *,
    tag: str | None,
    front_matter: FrontMatter = dict,
    follow: Callable[[Mapping[str, Any]], str] | None = None,
) -> Draft:
    """Return what has to be sent so that the repository holds what ``folder`` holds.

    The card in ``folder`` is replaced by the merged one, whose YAML data ``front_matter`` checks and may correct;
    ``follow`` returns the generated card whose text agrees with that data.
    """
    # Checked before anything is sent: a tag that exists would leave a commit without its tag.
    tags = before.hub.tags() if tag and before.hub and before.remote else {}
    warnings = _merge_card(before, folder, front_matter, follow)
    local = {name: folder / name for name in (*read_manifest(folder).files, MANIFEST)}
    files = {n: path for n, path in local.items() if n not in before.files or not same(path, before.files[n])}
    ours = before.manifest.files if before.manifest else {}
    stale = [name for name in ours if name in before.files and name not in local]
    found = Draft(before=before, local=local, files=files, stale=stale, tags=tags, warnings=warnings)
    if tag in tags and (found.changed or tags[tag] != before.commit):
        raise InosukeError(
            f"{before.repo}: the tag `{tag}` already names commit {tags[tag][:8]}. Choose another: a tag never "
            "moves. Nothing was uploaded."
        )
    return found


def send(
    wanted: Draft, hub: Hub, title: str, description: str, *, private: bool, tag: str | None, quiet: bool
) -> Outcome:
    """Make the commit, in a repository that is created if needed, and check that every file arrived.

    Raises InosukeError; the repository is then unchanged unless the message names a commit.
    """
    before, commit = wanted.before, wanted.before.commit
    if before.remote is None:
        commit = hub.create(private).commit
    if wanted.changed:
        commit = hub.commit(
            wanted.files, wanted.stale, parent=commit, title=title, description=description, quiet=quiet
        )
    arrived = hub.files(commit)
    if wrong := [name for name, path in wanted.local.items() if name not in arrived or not same(path, arrived[name])]:
        raise InosukeError(
            f"{hub.repo}: {wrong[0]} in commit {commit[:8]} differs from the file that was sent. Publish again."
        )
    if tag and tag not in wanted.tags:  # last of all, because a tag never moves
        hub.tag(tag, commit)
    return Outcome(
        commit=commit,
        changed=wanted.changed,
        files=sorted(wanted.files),
        deleted=sorted(wanted.stale),
        warnings=wanted.warnings,
    )


def look_first(repo: str, repo_type: RepoType, scratch: Path, *, private: bool, dry_run: bool) -> tuple[Before, str]:
    """Return the repository as it is, and why the Hub was not asked (only in a dry run; else an empty text)."""
    from huggingface_hub import get_token

    scratch.mkdir()
    if dry_run and get_token() is None:
        return look(None, repo, scratch, private=private), "there is no token to ask the Hub with"
    try:
        return look(Hub(repo, repo_type), repo, scratch, private=private), ""
    except HubUnreachable:
        if not dry_run:
            raise
        return look(None, repo, scratch, private=private), "the Hub cannot be reached"


def _published(before: Before) -> Manifest | None:
    """Return the manifest in the repository, or None if there is none that this project wrote."""
    if MANIFEST not in before.files:
        return None
    folder = before.read(MANIFEST).parent
    try:
        return read_manifest(folder)
    except InosukeError:  # another program's manifest.json: none of the files is ours to remove
        return None


def _merge_card(
    before: Before, folder: Path, front_matter: FrontMatter, follow: Callable[[Mapping[str, Any]], str] | None
) -> list[str]:
    """Merge the card in ``folder`` with the one on the Hub and record the generated part in the manifest.

    Return warnings.
    """
    path = folder / CARD
    text = card_merge.marked(path.read_text(encoding="utf-8"))
    ours = card_merge.parse(text, str(path))
    section = ours.section
    warnings = []
    theirs = before.card()
    if theirs is None:
        data = front_matter(ours.data)
        if data != ours.data:
            text = card_merge.merge(text, "", {}, front_matter=lambda _: data)
    else:
        last = (before.manifest.card if before.manifest else None) or {}
        where = f"{before.repo}/{CARD} on the Hub"
        text = card_merge.merge(text, theirs, last.get("metadata", {}), where, front_matter, follow)
        section = card_merge.parse(text, where).section
        edited = card_merge.parse(theirs, where).section
        if edited and last and _digest(edited) != last["section"]:
            warnings.append(
                "the generated part of the card was edited by hand. It was replaced; the edited text is in commit "
                f"{before.commit[:8]}. Text above or below the marks stays."
            )
    write_atomically(path, text)
    generated = {"metadata": ours.data, "section": _digest(section)}
    write_manifest(folder, with_card(read_manifest(folder).model_copy(update={"card": generated}), folder))
    return warnings


def _digest(section: str | None) -> str:
    return hashlib.sha256((section or "").encode()).hexdigest()
