"""The reading order of a page: spreads from the right page, strips down to their end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.importers import read
from curation.importers.formats.manga.reading_order import Box, page_order
from curation.persona import Persona


def grid(columns: list[float], rows: list[float]) -> list[Box]:
    """Return boxes of 60 × 60, row by row from the left: not the reading order."""
    return [(x, y, x + 60, y + 60) for y in rows for x in columns]


def test_the_right_page_of_a_spread_is_read_first() -> None:
    boxes = grid([100, 400, 900, 1300], [50, 300])  # 0 1 2 3 / 4 5 6 7
    assert page_order(boxes, 1600, 1100) == [3, 2, 7, 6, 1, 0, 5, 4]
    assert page_order(boxes, 1100, 1600) == [3, 2, 1, 0, 7, 6, 5, 4], "one page: across"
    assert page_order(boxes) == [3, 2, 1, 0, 7, 6, 5, 4], "the size is not known"


def test_two_strips_of_four_panels_are_read_one_after_the_other() -> None:
    boxes = grid([150, 650], [100, 400, 700, 1000])
    assert page_order(boxes, 900, 1300) == [1, 3, 5, 7, 0, 2, 4, 6]


@pytest.mark.parametrize("rows", [[100, 400, 700], [100, 300, 500, 700, 900]])
def test_other_grids_are_read_row_by_row(rows: list[float]) -> None:
    boxes = grid([150, 650], rows)
    across = [n for row in range(len(rows)) for n in (2 * row + 1, 2 * row)]
    assert page_order(boxes, 900, 1300) == across


def test_a_box_over_the_middle_is_not_a_page_of_strips() -> None:
    boxes = grid([150, 650], [100, 400, 700, 1000])
    boxes[0] = (300, 100, 640, 160)
    assert page_order(boxes, 900, 1300)[:4] == [1, 0, 3, 2]


def test_covers_with_a_hash_come_first_and_ten_after_nine(tmp_path: Path, persona: Persona) -> None:
    names = ["v/p-010.jpg", "v/p-009.jpg", "v/p-#0002.jpg", "v/p-#0001.jpg", "u #3/p-1.jpg"]
    pages = [
        {"img_path": n, "img_width": 1, "img_height": 1, "blocks": [{"box": [1, 1, 9, 9], "lines": [n]}]} for n in names
    ]
    path = tmp_path / "v.mokuro"
    path.write_text(json.dumps({"pages": pages}), encoding="utf-8")
    found = [u.text for u in read(path, persona).utterances]
    assert found == ["u #3/p-1.jpg", "v/p-#0001.jpg", "v/p-#0002.jpg", "v/p-009.jpg", "v/p-010.jpg"]
