"""``datasets/split.jsonl``: what earlier builds decided about each sample, in git beside the review log.

New samples must never move an old one to the other side, and only a split that remembers earlier ones can guarantee
that (:mod:`curation.split.assign`). An edited row has another id; a fingerprint of its words finds it again
(:mod:`curation.split.lineage`), though the text itself is not in the file. Lines are sorted by id, so that diffs and
merges stay readable. A line is ``{"id", "side", "from", "words"}``; ``side`` is missing where a sample is on neither
side, ``from`` where it is not an edited one. Files of older versions have ``id`` and ``side`` alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from curation.errors import InosukeError
from curation.files import write_atomically


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known by sample id: the side, the words (a fingerprint), and the sample that it is an edit of."""

    sides: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    def lineage(self, sample_id: str) -> list[str]:
        """Return the ids of the texts that a sample was edited from, the latest first."""
        found: list[str] = []
        while (sample_id := self.origins.get(sample_id, "")) and sample_id not in found:
            found.append(sample_id)
        return found


def read_memory(path: Path) -> Memory:
    """Return what the file remembers. A missing file is an empty one.

    A sample that two merged branches put on different sides evaluates, because evaluated samples must not be trained
    on. Raises InosukeError for a line that is not one of the file's: skipping it could move a sample to the other side.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return Memory()
    sides: dict[str, str] = {}
    words: dict[str, str] = {}
    origins: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            sample, side = str(row["id"]), row.get("side")
            if side not in ("train", "eval") and (side is not None or "words" not in row):
                raise ValueError(f"side {side!r}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InosukeError(
                f'{path}: line {number} ({line[:60]!r}) is not {{"id", "side": "train" or "eval"}} ({error}). '
                "Fix the line (of a merge conflict, keep the lines of both sides), or restore the file from git."
            ) from None
        if side is not None:
            sides[sample] = "eval" if "eval" in (side, sides.get(sample)) else side
        for found, key in ((words, "words"), (origins, "from")):
            if isinstance(row.get(key), str):
                found.setdefault(sample, row[key])
    return Memory(sides, words, origins)


def remember(path: Path, memory: Memory) -> bool:
    """Write the file. Samples that are not in this build stay in it. Return whether it changed."""
    lines = []
    for sample in sorted({*memory.sides, *memory.words, *memory.origins}):
        row = {"id": sample, "side": memory.sides.get(sample), "from": memory.origins.get(sample)}
        row["words"] = memory.words.get(sample, "" if row["side"] is None else None)
        lines.append(json.dumps({key: value for key, value in row.items() if value is not None}))
    return write_atomically(path, "".join(f"{line}\n" for line in lines))
