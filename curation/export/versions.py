"""Find exports by name, and compare two of them. Reads export folders; changes only ``tags.json``.

A name is a version (12 digits), the first few digits of one, ``latest``, or a tag that the user gave.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from curation.contracts.manifest import Manifest
from curation.contracts.rows import ChatRow
from curation.errors import InosukeError, UsageError
from curation.export import manifest
from curation.export.exported_rows import Rows, read, sample_of
from curation.files import write_atomically
from curation.newest import LATEST, newest_export
from curation.review.decisions import State
from curation.split.history import Memory
from curation.split.lineage import Gone, fingerprint, place, trace

_TAGS = "tags.json"
_Row: TypeAlias = tuple[str, ChatRow]  # with its side
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def find(out: Path, name: str) -> Path:
    """Return the folder of the export with this name. Raises InosukeError that lists the names that exist."""
    if name == LATEST:
        return newest_export(out)
    name = tags(out).get(name, name)
    versions = all_versions(out)
    matches = [v for v in versions if v == name] or [v for v in versions if name and v.startswith(name)]
    if len(matches) != 1:
        what = f"can be {' or '.join(matches)}" if matches else "is not a version or a tag"
        known = ", ".join([*tags(out), *versions]) or "none, run `inosuke dataset` first"
        raise InosukeError(f"`{name}` {what}. Expected one of: {known}.")
    return out / matches[0]


def all_versions(out: Path) -> list[str]:
    """Return the existing versions, in the order of their names."""
    if not out.is_dir():
        return []
    return sorted(p.name for p in out.iterdir() if re.fullmatch(r"[0-9a-f]{12}", p.name) and p.is_dir())


def tags(out: Path) -> dict[str, str]:
    """Return tag → version."""
    try:
        found: dict[str, str] = json.loads((out / _TAGS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise InosukeError(f"{out / _TAGS}: not valid JSON. Fix it, or remove it to start over.") from None
    return found


def tag(out: Path, name: str, version: str) -> None:
    """Give a version a tag. Raises InosukeError if the tag already names another version."""
    check_tag(name, out, version)
    write_atomically(out / _TAGS, json.dumps(tags(out) | {name: version}, indent=1, sort_keys=True) + "\n")


def check_tag(name: str, out: Path | None = None, version: str = "") -> None:
    """Raise UsageError for a name that git, the Hub or a person could misread.

    With ``out`` and ``version``, also raise InosukeError if the tag already names another version.
    """
    if not _TAG.fullmatch(name) or name == LATEST or ".." in name or name.endswith((".", ".lock")):
        raise UsageError(f"`{name}` cannot be a tag. Expected letters, digits, dots and dashes, for example v1.2.")
    if out is not None and (other := tags(out).get(name, version)) != version:
        raise InosukeError(f"the tag `{name}` already names {other}. Choose another name: a tag never moves.")


@dataclass(frozen=True, slots=True)
class Change:
    """One sample that differs. ``old`` and ``new`` are dialogues, sides or labels, depending on the sort of change."""

    id: str
    kind: str
    old: str = ""
    new: str = ""
    why: str = ""


@dataclass(slots=True)
class Diff:
    """The differences between two exports."""

    added: list[Change] = field(default_factory=list)
    removed: list[Change] = field(default_factory=list)
    rewritten: list[Change] = field(default_factory=list)
    moved: list[Change] = field(default_factory=list)
    relabelled: list[Change] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """The number of samples by sort of change, without zeros."""
        lists: dict[str, Sequence[Any]] = {name: getattr(self, name) for name in Diff.__slots__ if name != "settings"}
        return {name: len(changes) for name, changes in lists.items() if changes}

    def to_json(self) -> dict[str, Any]:
        """Return plain objects."""
        return asdict(self)


def compare(old: Rows, new: Rows, origins: Mapping[str, str] | None = None) -> Diff:
    """Compare two exports sample by sample. A rewritten sample may also have moved or been relabelled.

    A sample that was edited in its source has another id; it is rewritten, too. ``origins`` names the sample that one
    is an edit of, as far as builds have noted it; what else resembles a sample that is gone is found here.
    """
    before, after = _by_id(old), _by_id(new)
    edited_from = _edits(before, after, origins or {})
    diff = Diff()
    for key, (side, row) in after.items():
        kind = row["kind"]
        earlier = edited_from.get(key, key)
        if earlier not in before:
            diff.added.append(Change(id=key, kind=kind, new=_dialogue(row)))
            continue
        old_side, old_row = before[earlier]
        if old_row["messages"] != row["messages"]:
            edited = f"edited in its source: {earlier} before" if earlier != key else ""
            why = edited or _not_by_the_log(old_row["revision"], row["revision"])
            diff.rewritten.append(Change(id=key, kind=kind, old=_dialogue(old_row), new=_dialogue(row), why=why))
        if old_side != side:
            diff.moved.append(Change(id=key, kind=kind, old=old_side, new=side))
        old_labels, labels = _labels(old_row), _labels(row)
        if changed := [name for name in labels if old_labels[name] != labels[name]]:
            was, now = (", ".join(f"{name} {values[name]}" for name in changed) for values in (old_labels, labels))
            diff.relabelled.append(Change(id=key, kind=kind, old=was, new=now))
    kept = after.keys() | set(edited_from.values())
    diff.removed = [
        Change(id=key, kind=row["kind"], old=_dialogue(row)) for key, (_, row) in before.items() if key not in kept
    ]
    return diff


def _edits(before: Mapping[str, _Row], after: Mapping[str, _Row], origins: Mapping[str, str]) -> dict[str, str]:
    """Return the sample that each new one is an edit of, for those that are one: id → id."""
    gone, memory = before.keys() - after.keys(), Memory(origins=origins)
    found: dict[str, str] = {}
    for key in after.keys() - before.keys():
        old = next((old for old in memory.lineage(key) if old in gone), None)
        if old is not None and old not in found.values():
            found[key] = old
    rest = {key: sample_of(before[key][1]) for key in sorted(gone - set(found.values()))}
    texts = {key: Gone(fingerprint(sample), place(sample)) for key, sample in rest.items()}
    new = (sample_of(after[key][1]) for key in sorted(after.keys() - before.keys() - found.keys()))
    return found | {key: ancestor.id for key, ancestor in trace(new, texts).items() if ancestor.edited}


def explain(diff: Diff, states: Mapping[str, State], queue: Collection[str], old: Manifest, new: Manifest) -> Diff:
    """Add reasons to a diff, as far as the review log, the current queue and the new split give them.

    ``old`` and ``new`` are the manifests of the two exports.
    """
    left_out = {e["id"]: f"{e['why']}: {e['near']}" for e in new.split.get("left_out", ())}

    def with_reasons(changes: Sequence[Change], gone: bool = False) -> list[Change]:
        return [replace(c, why=c.why or reason(c, states.get(c.id, State()), gone)) for c in changes]

    def reason(change: Change, state: State, gone: bool) -> str:
        known = _why(state, change.id in queue)
        if not gone or change.id not in queue or state.status != "approved":
            return known
        if change.id in left_out:
            return f"{known}, but on neither side of the split ({left_out[change.id]})"
        auto = new.configuration.get("auto_near")
        return f"{known}, but {'near a better one (--auto-near), or ' if auto else ''}{_UNFIT}"

    settings = [
        f"{key} {old.configuration.get(key)} → {value}"
        for key, value in new.configuration.items()
        if old.configuration.get(key) != value
    ]
    if old.persona.sha256 != new.persona.sha256:
        settings.append("persona.toml changed")
    return replace(
        diff,
        added=with_reasons(diff.added),
        removed=with_reasons(diff.removed, gone=True),
        rewritten=with_reasons(diff.rewritten),
        settings=settings,
    )


def read_two(out: Path, first: str, second: str) -> tuple[tuple[Manifest, Rows], tuple[Manifest, Rows]]:
    """Return manifest and rows of two exports. Raises InosukeError if one does not exist or was changed by hand."""
    folders = find(out, first), find(out, second)
    old, new = ((manifest.check(folder), read(folder)) for folder in folders)
    return old, new


def _by_id(rows: Rows) -> dict[str, _Row]:
    return {row["id"]: (side, row) for side, content in rows.chat.items() for row in content}


def _labels(row: ChatRow) -> dict[str, object]:
    return {
        "kind": row["kind"],
        "language": row["language"],
        "topic": row["topic"],
        "flags": row["flags"],
        "rights": row["rights"],
    }


def _dialogue(row: ChatRow) -> str:
    return "\n".join(f"{m['name'] or m['role']}: {m['content']}" for m in row["messages"])


_UNFIT = "not fit for training: an empty reply, the line of another speaker in it, or no reply at the end"


def _not_by_the_log(old_revision: int, new_revision: int) -> str:
    """Return why a text differs that no annotator rewrote between the two exports, or an empty text."""
    if new_revision == 0:
        return "cleaned or imported differently" if old_revision == 0 else "a rewrite was undone"
    return ""


def _why(state: State, in_queue: bool) -> str:
    who = f" by {', '.join(state.reviewers)}" if state.reviewers else ""
    if not in_queue:
        return "no longer in any source, or merged into an exact duplicate"
    if state.status == "pending":
        return "waits for review"
    verb = "rewritten" if state.status == "approved" and state.revision else state.status
    return f"{verb}{who}" + (f": {state.reason}" if state.reason else "")
