"""A diff between two exports as plain text, for a terminal and for the description of a commit on the Hub."""

from __future__ import annotations

from collections.abc import Sequence

from curation.export.versions import Change, Diff

_SIGNS = {"added": "+", "removed": "-", "rewritten": "~", "moved": ">", "relabelled": "="}


def headline(diff: Diff) -> str:
    """Return one line: ``3 added, 1 rewritten``."""
    return ", ".join(f"{n:,} {name}" for name, n in diff.counts.items()) or "no sample changed"


def text(diff: Diff, old: str, new: str, limit: int, show_old: bool = True) -> str:
    """Return the whole diff, with at most ``limit`` samples of each sort.

    Without ``show_old``, removed text is not repeated: there may have been a reason to remove it.
    """
    lines = [f"{old} → {new}: {headline(diff)}"]
    lines += [f"settings: {'; '.join(diff.settings)}"] if diff.settings else []
    for name, sign in _SIGNS.items():
        lines += _section(name, sign, getattr(diff, name), limit, show_old)
    return "\n".join(lines)


def _section(name: str, sign: str, changes: Sequence[Change], limit: int, show_old: bool) -> list[str]:
    if not changes:
        return []
    lines = ["", f"{name} ({len(changes):,})"]
    for change in changes[:limit]:
        lines.append(f"{sign} {change.id}  {change.kind}" + (f"  [{change.why}]" if change.why else ""))
        lines += [f"    - {line}" for line in change.old.split("\n") if change.old and show_old]
        lines += [f"    + {line}" for line in change.new.split("\n") if change.new]
    if len(changes) > limit:
        lines.append(f"  … and {len(changes) - limit:,} more")
    return lines
