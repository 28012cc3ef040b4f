"""Exports by name, and what differs between two of them. Reads export folders; changes only ``tags.json``.

A version is named by its 12 digits, the first few of them, ``latest``, or a tag that a person gave.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from curation.errors import InosukeError, UsageError
from curation.export import manifest
from curation.export.exported_rows import Row, Rows, read
from curation.export.write import LATEST
from curation.files import write_atomically
from curation.review.decisions import State

_TAGS = "tags.json"
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LABELS = ("kind", "language", "topic", "flags", "rights")


def find(out: Path, name: str) -> Path:
    """Return the folder of the export that ``name`` stands for. Raises InosukeError that lists what there is."""
    if name == LATEST:
        return latest(out)
    name = tags(out).get(name, name)
    versions = all_versions(out)
    matches = [v for v in versions if v == name] or [v for v in versions if name and v.startswith(name)]
    if len(matches) != 1:
        what = f"stands for {', '.join(matches)}" if matches else "is no version or tag"
        known = ", ".join([*tags(out), *versions]) or "none, run `inosuke dataset` first"
        raise InosukeError(f"`{name}` {what}. Expected one of: {known}.")
    return out / matches[0]


def latest(out: Path) -> Path:
    """Return the newest export. Raises InosukeError where nothing was exported yet."""
    try:
        return out / (out / LATEST).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise InosukeError(
            f"{out}: no export yet. Run `inosuke dataset`; where nothing is approved, `make review` comes first."
        ) from None


def all_versions(out: Path) -> list[str]:
    """Return the versions that are there, in the order of their names."""
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
        raise InosukeError(f"{out / _TAGS}: not valid JSON. Mend it, or remove it to start over.") from None
    return found


def tag(out: Path, name: str, version: str) -> None:
    """Give a version a name of its own. Raises InosukeError where the tag stands for another version already."""
    check_tag(name, out, version)
    write_atomically(out / _TAGS, json.dumps(tags(out) | {name: version}, indent=1, sort_keys=True) + "\n")


def check_tag(name: str, out: Path | None = None, version: str = "") -> None:
    """Raise UsageError for a name that git, the Hub or a person could take for something else.

    With the exports' folder and a version, raises InosukeError where the tag stands for another one.
    """
    if not _TAG.fullmatch(name) or name == LATEST or ".." in name or name.endswith((".", ".lock")):
        raise UsageError(f"`{name}` cannot be a tag. Expected letters, digits, dots and dashes, for example v1.2.")
    if out is not None and (other := tags(out).get(name, version)) != version:
        raise InosukeError(f"the tag `{name}` stands for {other} already. Choose another name: a tag never moves.")


@dataclass(frozen=True, slots=True)
class Change:
    """One sample that differs. ``old`` and ``new`` are dialogues, the side's name, or labels, as the list says."""

    id: str
    kind: str
    old: str = ""
    new: str = ""
    why: str = ""


@dataclass(slots=True)
class Diff:
    """What differs between two exports."""

    added: list[Change] = field(default_factory=list)
    removed: list[Change] = field(default_factory=list)
    rewritten: list[Change] = field(default_factory=list)
    moved: list[Change] = field(default_factory=list)
    relabelled: list[Change] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many samples changed, by how; only what there is."""
        lists: dict[str, Sequence[Any]] = {name: getattr(self, name) for name in Diff.__slots__ if name != "settings"}
        return {name: len(changes) for name, changes in lists.items() if changes}

    def to_json(self) -> dict[str, Any]:
        """Return plain objects."""
        return asdict(self)


def compare(old: Rows, new: Rows) -> Diff:
    """Compare two exports sample by sample. A rewritten sample may have moved or been relabelled as well."""
    before, after = _by_id(old), _by_id(new)
    diff = Diff()
    for key, (side, row) in after.items():
        if key not in before:
            diff.added.append(Change(key, row["kind"], new=_dialogue(row)))
            continue
        old_side, old_row = before[key]
        if old_row["messages"] != row["messages"]:
            why = _not_by_the_log(old_row["revision"], row["revision"])
            diff.rewritten.append(Change(key, row["kind"], _dialogue(old_row), _dialogue(row), why))
        if old_side != side:
            diff.moved.append(Change(key, row["kind"], old_side, side))
        labels = [name for name in _LABELS if old_row[name] != row[name]]
        if labels:
            was, now = (", ".join(f"{n} {r[n]}" for n in labels) for r in (old_row, row))
            diff.relabelled.append(Change(key, row["kind"], was, now))
    diff.removed = [Change(k, row["kind"], _dialogue(row)) for k, (_, row) in before.items() if k not in after]
    return diff


def explain(diff: Diff, states: Mapping[str, State], queue: Collection[str], old: Any, new: Any) -> Diff:
    """Say why, as far as the review log, today's queue and the new split tell; ``old`` and ``new`` are manifests."""
    aside = {e["id"]: f"{e['why']}: {e['near']}" for e in new.get("split", {}).get("left_out", ())}

    def with_reasons(changes: Sequence[Change], gone: bool = False) -> list[Change]:
        return [replace(c, why=c.why or reason(c, states.get(c.id, State()), gone)) for c in changes]

    def reason(change: Change, state: State, gone: bool) -> str:
        known = _why(state, change.id in queue)
        if not gone or change.id not in queue or state.status != "approved":
            return known
        if change.id in aside:
            return f"{known}, but on neither side of the split ({aside[change.id]})"
        auto = new.get("configuration", {}).get("auto_near")
        return f"{known}, but {'near a better one (--auto-near), or ' if auto else ''}{_UNFIT}"

    settings = [
        f"{key} {old.get('configuration', {}).get(key)} → {value}"
        for key, value in new.get("configuration", {}).items()
        if old.get("configuration", {}).get(key) != value
    ]
    if old["persona"]["sha256"] != new["persona"]["sha256"]:
        settings.append("persona.toml changed")
    return replace(
        diff,
        added=with_reasons(diff.added),
        removed=with_reasons(diff.removed, gone=True),
        rewritten=with_reasons(diff.rewritten),
        settings=settings,
    )


def read_two(out: Path, first: str, second: str) -> tuple[tuple[Any, Rows], tuple[Any, Rows]]:
    """Return (manifest, rows) of two exports that are whole. Raises InosukeError where one is not there or changed."""
    folders = find(out, first), find(out, second)
    old, new = ((manifest.check(folder), read(folder)) for folder in folders)
    return old, new


def _by_id(rows: Rows) -> dict[str, tuple[str, Row]]:
    return {row["id"]: (side, row) for side, content in rows.chat.items() for row in content}


def _dialogue(row: Row) -> str:
    return "\n".join(f"{m['name'] or m['role']}: {m['content']}" for m in row["messages"])


_UNFIT = "not fit to train on: an empty reply, another speaker's line in it, or no reply at the end"


def _not_by_the_log(old_revision: int, new_revision: int) -> str:
    """Say why a text differs that nobody rewrote between the two exports; nothing where somebody did."""
    if new_revision == 0:
        return "cleaned or imported otherwise" if old_revision == 0 else "a rewrite was taken back"
    return ""


def _why(state: State, in_queue: bool) -> str:
    who = f" by {', '.join(state.reviewers)}" if state.reviewers else ""
    if not in_queue:
        return "no source holds it any more, or it was merged into an exact duplicate"
    if state.status == "pending":
        return "waits for review"
    verb = "rewritten" if state.status == "approved" and state.revision else state.status
    return f"{verb}{who}" + (f": {state.reason}" if state.reason else "")
