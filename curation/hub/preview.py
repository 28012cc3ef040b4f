"""What a publication would change: rows against the published version, who sees them, what to ask first.

Reads what is on the Hub; writes nothing there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from curation.contracts.manifest import Manifest, SourceFacts
from curation.contracts.rows import HELD_OUT
from curation.errors import InosukeError
from curation.export import exported_rows, terms, versions
from curation.export.diff_text import headline, text
from curation.export.exported_rows import Rows
from curation.export.manifest import CARD
from curation.export.versions import Diff
from curation.hub.commit import Before, Draft
from curation.hub.publication import MOST_REMOVED, Publication, RowChanges
from curation.hub.rights import PUBLISHABLE

_SHOWN = 10  # changed samples of each sort in the description of a commit
_NEEDED = (
    *(exported_rows.parquet(config, side) for config in exported_rows.CONFIGS for side in exported_rows.SIDES),
    HELD_OUT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The published rows against ours. ``diff`` is None where nothing was published, or it cannot be read (``why``)."""

    ours: Rows
    since: str | None = None
    before: int = 0
    diff: Diff | None = None
    why: str = ""

    @property
    def changes(self) -> RowChanges | None:
        """The counts of changed rows, or None where the published rows cannot be read."""
        if self.why:
            return None
        if self.diff is None:
            return RowChanges(added=len(self.ours.samples))
        counts = self.diff.counts
        return RowChanges(
            added=counts.get("added", 0),
            rewritten=counts.get("rewritten", 0),
            removed=counts.get("removed", 0),
            before=self.before,
            since=self.since,
        )

    def description(self, version: str) -> str:
        """Return the description of the commit: what changed since the last publication, sample by sample."""
        if self.why:
            return f"Version {version}. It cannot be compared with the files before it ({self.why})."
        if self.diff is None:
            return f"First publication, version {version}."
        changes = text(self.diff, self.since or "unknown", version, _SHOWN, show_old=False)
        return f"{headline(self.diff)}\n\n{changes}"


def compare(before: Before, ours: Rows) -> Comparison:
    """Compare what is published with our rows."""
    since = before.manifest.version if before.manifest else None
    if any(name not in before.files for name in _NEEDED):
        return Comparison(ours=ours, since=since)
    for name in _NEEDED:
        before.read(name)
    try:
        published = exported_rows.read(before.scratch)
        diff = versions.compare(published, ours)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Comparison(ours=ours, since=since, why=type(error).__name__)
    return Comparison(ours=ours, since=since, before=len(published.samples), diff=diff)


def visibility(before: Before, private: bool, unasked: str) -> str:
    """Return who sees the repository, as it is on the Hub."""
    word = "private" if private else "public"
    if unasked:
        return f"not known: {unasked}. A new {word} repository is assumed"
    if before.remote is None:
        return f"new, {word}"
    return f"{word} (gated)" if before.remote.gated else word


def licence(said: terms.Licence, ours: terms.Licence) -> str:
    """Return the licence of the card that will be published, and where it is from if it is not persona.toml's."""
    return said.plain() if said == ours else f"{said.plain()}, set on the Hub (persona.toml: {ours.plain()})"


def unnamed_licence(said: terms.Licence) -> list[str]:
    """Return a note where the card on the Hub says `other` and does not name the licence, as the Hub's form asks."""
    if said.id != "other" or (said.name and said.link):
        return []
    return ["the card on the Hub says `license: other` without `license_name` and `license_link`: add both there"]


def origins(sources: Iterable[SourceFacts]) -> dict[str, str]:
    """Return rights, licence and origin of each source folder that is published."""
    found = {}
    for source in sources:
        said = [source.rights, terms.of_source(source).plain() if source.rights in terms.OFFERED else "no licence"]
        found[source.folder] = f"{', '.join(said)}; {source.origin or 'origin not stated'}"
    return found


def questions(wanted: Draft, compared: Comparison) -> list[str]:
    """Return what wants an answer: rows or files of others that would go, and data that are not ours."""
    found = of_others(wanted)
    if compared.why:
        found.append(f"the published rows cannot be read ({compared.why}), so none of them may be left")
    changes = compared.changes
    if changes and changes.removed_share > MOST_REMOVED:
        found.append(f"{changes.removed:,} of the {changes.before:,} published rows would be removed")
    return found


def of_others(wanted: Draft) -> list[str]:
    """Return what wants an answer because other people's files are in the repository."""
    before, found = wanted.before, []
    known = before.manifest.files if before.manifest else {}
    if replaced := [n for n in wanted.files if n in before.files and n not in known and n not in (CARD, *known)]:
        if before.manifest is not None:
            replaced = [name for name in replaced if name != "manifest.json"]
        if replaced:
            found.append(f"{_some(replaced)} on the Hub, not from this project, would be replaced")
    if before.manifest is None:
        others = [n for n in before.files if n not in wanted.local and n not in (CARD, ".gitattributes")]
        if others:
            found.append(f"the repository holds data that are not from this project ({_some(others)}); they stay")
    return found


def private_in_history(before: Before) -> list[str]:
    """Return a warning where a repository became public that was published with rows for its owner alone."""
    sides = before.manifest.counts.values() if before.manifest else ()
    held = sum(n for side in sides for name, n in side.rights.items() if name not in PUBLISHABLE)
    named = sum(before.manifest.published.included.values()) if before.manifest and before.manifest.published else 0
    if held <= named:
        return []
    return [
        f"the version that is published holds {held - named:,} samples that may not be public, and the repository is "
        "public. This publication removes them from the newest version; older commits still show them. Make the "
        "repository private, or delete it and publish again."
    ]


def other_source(before: Before, about: Manifest) -> list[str]:
    """Return a note where the published version was built from other folders than this one."""
    if before.manifest is None:
        return []
    was, now = bool(before.manifest.configuration.get("corpus")), bool(about.configuration.get("corpus"))
    if was == now:
        return []
    words = {True: "a corpus (`inosuke dataset --corpus`)", False: "the source folders of persona.toml"}
    return [f"the published version was built from {words[was]}, this one from {words[now]}"]


def refuse_unanswered(planned: Publication) -> None:
    """Raise InosukeError where something wants an answer, with what to do."""
    if not planned.questions:
        return
    raise InosukeError(
        f"{planned.repo}: {'; '.join(planned.questions)}. Nothing was uploaded. {planned.way_out}If that is "
        "what you want, run the command again with --yes."
    )


def _some(names: list[str]) -> str:
    found = sorted(names)
    return ", ".join(found[:3]) + (f" and {len(found) - 3:,} more" if len(found) > 3 else "")
