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
_ROWS = 4  # panels of a strip


def page_order(boxes: Sequence[Box], width: float = 0, height: float = 0) -> list[int]:
    """Return the indices of the boxes of a page in reading order; ``width`` and ``height`` are the image's, 0: unknown.

    An image that is wider than high shows two pages, and the right one is read first. On a page of two strips (4-koma),
    where four rows of boxes line up on both sides of the middle, the right strip is read down to its end first.
    """
    sides = [list(range(len(boxes)))]
    if width > height > 0:
        sides = _halves(sides[0], boxes, width / 2)
    order: list[int] = []
    for side in sides:
        for strip in _strips(side, boxes):
            order += [strip[i] for i in right_to_left([boxes[n] for n in strip])]
    return order


def _halves(group: Sequence[int], boxes: Sequence[Box], middle: float) -> list[list[int]]:
    """Return what lies right of the middle, then what lies left of it, by the boxes' centres."""
    right = [i for i in group if boxes[i][0] + boxes[i][2] >= 2 * middle]
    return [right, [i for i in group if boxes[i][0] + boxes[i][2] < 2 * middle]]


def _strips(group: list[int], boxes: Sequence[Box]) -> list[list[int]]:
    """Return the two strips of a 4-koma page, the right one first; any other page as it is."""
    if not 2 * _ROWS <= len(group) <= _MAX_BOXES:
        return [group]
    left, right = min(boxes[i][0] for i in group), max(boxes[i][2] for i in group)
    middle = (left + right) / 2
    if any(boxes[i][0] < middle < boxes[i][2] for i in group):
        return [group]
    strips = _halves(group, boxes, middle)
    rows = [_cut(strip, [(boxes[i][1], boxes[i][3]) for i in strip]) for strip in strips]
    if len(rows[0]) != len(rows[1]) or len(rows[0]) != _ROWS:
        return [group]
    for here, there in zip(*rows, strict=True):
        top, bottom = (
            max(min(boxes[i][1] for i in row) for row in (here, there)),
            min(max(boxes[i][3] for i in row) for row in (here, there)),
        )
        if top >= bottom:  # they do not stand beside each other
            return [group]
    return strips


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
