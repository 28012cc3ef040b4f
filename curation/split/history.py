"""``datasets/split.jsonl``: which side each sample was ever put on, in git beside the review log.

Adding samples must move no old one across the border, and no rule without memory can promise that
(:mod:`curation.split.assign`). Lines are sorted by id, so that diffs and merges stay readable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from curation.errors import InosukeError
from curation.files import write_atomically


def read_sides(path: Path) -> dict[str, str]:
    """Return {sample id: side}; a file that is not there is an empty one.

    A sample that two merged branches put on different sides evaluates: what was evaluated must not be trained on.
    Raises InosukeError for a line that says no side, since leaving it out would let a sample cross.
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
                "Mend the line (a merge conflict keeps both sides' lines), or restore the file from git."
            ) from None
        sides[sample] = "eval" if "eval" in (side, sides.get(sample)) else side
    return sides


def remember(path: Path, known: Mapping[str, str], sides: Mapping[str, str]) -> bool:
    """Write ``known`` with the new ``sides``; what is not in this build is kept. Returns whether the file changed."""
    rows = sorted({**known, **sides}.items())
    return write_atomically(path, "".join(json.dumps({"id": i, "side": s}) + "\n" for i, s in rows))
