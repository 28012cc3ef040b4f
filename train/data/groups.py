"""Which rows of an export belong together: for statistics, and for a validation part that training does not see.

In: exported rows. Out: a group for each row, or two lists. Knows nothing of tokens or models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence

from curation.contracts.rows import ExportedRow

VALIDATION_SHARE = 0.05
FEWEST = 16  # rows: the loss of fewer cannot tell one checkpoint from the next
# A larger group would make the validation part speak about one theme.
LARGEST_PART = 0.1


def drawn_together(rows: Sequence[ExportedRow]) -> list[str]:
    """Return a group for each row, for a bootstrap: rows of one group are not independent of each other.

    These are the split's groups (near replies, near prompts, one scene), joined where rows ask exactly the same. The
    split lets the prompts of a template stand on both sides; they share the prompt's effect on every figure all the
    same.
    """
    first: dict[Hashable, int] = {}
    parent = list(range(len(rows)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for at, row in enumerate(rows):
        asked = tuple(m.content.strip() for m in row.messages[:-1])
        for key in (row.group, asked) if asked else (row.group,):
            a, b = root(at), root(first.setdefault(key, at))
            parent[max(a, b)] = min(a, b)
    return [rows[root(at)].id for at in range(len(rows))]


def validation_part(
    rows: Sequence[ExportedRow], most: int | None = None
) -> tuple[list[ExportedRow], list[ExportedRow]]:
    """Divide training rows into those that train and a small part to choose the checkpoint on.

    Whole groups move, so that the part shares no near-duplicate with what trains; a hash of the group decides, so that
    every run on an export has the same part. The part is empty where it would have fewer than :data:`FEWEST` rows.
    """
    wanted = int(len(rows) * VALIDATION_SHARE)
    wanted = min(wanted, most) if most else wanted
    if wanted < FEWEST:
        return list(rows), []
    members: dict[str, list[ExportedRow]] = {}
    for row in rows:
        members.setdefault(row.group, []).append(row)
    chosen: set[str] = set()
    room = wanted
    for group in sorted(members, key=lambda g: hashlib.sha256(g.encode()).digest()):
        size = len(members[group])
        if size <= min(room, max(1, wanted * LARGEST_PART)):
            chosen.add(group)
            room -= size
    return [r for r in rows if r.group not in chosen], [r for r in rows if r.group in chosen]
