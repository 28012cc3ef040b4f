"""``datasets/split.jsonl``: the side of every sample in all builds so far, in git beside the review log.

New samples must never move an old one to the other side, and only a split that remembers earlier ones can guarantee
that (:mod:`curation.split.assign`). Lines are sorted by id, so that diffs and merges stay readable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from curation.errors import InosukeError
from curation.files import write_atomically


def read_sides(path: Path) -> dict[str, str]:
    """Return {sample id: side}. A missing file is an empty one.

    A sample that two merged branches put on different sides evaluates, because evaluated samples must not be trained
    on. Raises InosukeError for a line that does not name a side: skipping it could move a sample to the other side.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    sides: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            sample, side = str(row["id"]), row["side"]
            if side not in ("train", "eval"):
                raise ValueError(f"side {side!r}")
        except (ValueError, KeyError, TypeError) as error:
            raise InosukeError(
                f'{path}: line {number} ({line[:60]!r}) is not {{"id", "side": "train" or "eval"}} ({error}). '
                "Fix the line (of a merge conflict, keep the lines of both sides), or restore the file from git."
            ) from None
        sides[sample] = "eval" if "eval" in (side, sides.get(sample)) else side
    return sides


def remember(path: Path, known: Mapping[str, str], sides: Mapping[str, str]) -> bool:
    """Write ``known`` with the new ``sides``. Samples that are not in this build stay. Return whether it changed."""
    rows = sorted({**known, **sides}.items())
    return write_atomically(path, "".join(json.dumps({"id": i, "side": s}) + "\n" for i, s in rows))
