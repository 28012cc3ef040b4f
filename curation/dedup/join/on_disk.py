"""Similar pairs of more texts than memory holds: texts, signatures and pairs lie on disk; tiles read what they need.

The tiles are those of :func:`curation.dedup.join.similar.similar_pairs`, and so are the pairs and their scores.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from curation.dedup.join.executors import Executor, Local
from curation.dedup.join.pairs_file import AT_ONCE, write_pairs
from curation.dedup.join.similar import check_threshold
from curation.dedup.join.sorted_texts import sort_texts
from curation.errors import InosukeError
from curation.files import whole_file


@dataclass(frozen=True, slots=True)
class Written:
    """How many texts were read, how many are distinct, and how many pairs are near or equal."""

    texts: int
    distinct: int
    pairs: int


def write_similar_pairs(
    texts: Iterable[str],
    path: Path,
    threshold: float = 90.0,
    executor: Executor | None = None,
    *,
    progress: bool = False,
    at_once: int = AT_ONCE,
) -> Written:
    """Write every pair that :func:`~curation.dedup.join.similar.similar_pairs` returns to a Parquet file.

    Columns i, j (int64, positions in ``texts``) and score (float64, 0 to 100), sorted by (i, j). Temporary files lie in
    a hidden folder beside the file, which replaces an older one when it is whole; a failed run leaves nothing.
    ``at_once`` is the most pairs that memory holds.

    Raises UsageError for a threshold outside 50 to 100, InosukeError for an item that is not a str and when the disk
    is too small or cannot be written to.
    """
    check_threshold(threshold)
    try:
        with whole_file(path) as part:
            sorted_texts = sort_texts(texts, part.parent, progress=progress)
            side = sorted_texts.side
            near = (executor or Local(progress)).run(side, side, threshold)
            pairs = write_pairs(near, sorted_texts.number, part, part.parent, progress=progress, at_once=at_once)
    except OSError as error:
        raise InosukeError(
            f"{path}: the pairs cannot be written ({error.strerror or error}). What was there is untouched. "
            "Free some disk space or name a file on another disk, then run the command again."
        ) from error
    return Written(len(sorted_texts.number), len(side.signatures), pairs)
