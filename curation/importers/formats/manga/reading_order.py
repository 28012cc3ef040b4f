"""The reading order of boxes on a manga page: from the top, and from right to left. Pure.

A recursive X-Y cut (Nagy and Seth 1984), adapted to Japanese pages: cut at gaps between boxes, rows first, then columns
from the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

Box = tuple[float, float, float, float]

# A page of thousands of boxes is a scanning error: order those by position alone.
_MAX_BOXES = 1_000


def right_to_left(boxes: Sequence[Box]) -> list[int]:
    """Return the indices of boxes ``(x0, y0, x1, y1)``, in pixels from the top left, in reading order."""
    if len(boxes) > _MAX_BOXES:
        return sorted(range(len(boxes)), key=lambda i: (boxes[i][1], -boxes[i][2]))
    order: list[int] = []
    # A stack instead of recursion: a staircase of boxes would recurse once per box.
    waiting = [list(range(len(boxes)))]
    while waiting:
        group = waiting.pop()
        if len(group) > 1:
            rows = _cut(group, [(boxes[i][1], boxes[i][3]) for i in group])
            # From the right: the same cut with x negated.
            columns = [group] if len(rows) > 1 else _cut(group, [(-boxes[i][2], -boxes[i][0]) for i in group])
            parts = rows if len(rows) > 1 else columns
            if len(parts) > 1:
                waiting += reversed(parts)
                continue
        order += sorted(group, key=lambda i: (-boxes[i][2], boxes[i][1]))
    return order


def _cut(group: Sequence[int], spans: Sequence[tuple[float, float]]) -> list[list[int]]:
    """Split a group at the gaps between its spans; a tenth of overlap is still a gap, since boxes are drawn loosely."""
    ranked = sorted(zip(spans, group, strict=True))
    ends = accumulate((span[1] for span, _ in ranked), max)
    parts: list[list[int]] = []
    end = float("-inf")
    for ((start, stop), index), reached in zip(ranked, ends, strict=True):
        if not parts or start >= end - 0.1 * (stop - start):
            parts.append([])
        parts[-1].append(index)
        end = reached
    return parts
