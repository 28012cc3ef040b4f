"""Which rows a bootstrap draws together, and which training rows choose the checkpoint."""

from __future__ import annotations

from curation.contracts.rows import ExportedRow
from curation.record import Message
from train.data.groups import FEWEST, drawn_together, validation_part


def row(id: str, prompt: str, group: str = "") -> ExportedRow:
    return ExportedRow(
        id=id, kind="quote", messages=(Message("user", prompt), Message("assistant", f"Ta {id}!")), group=group
    )


def test_rows_of_one_group_and_rows_that_ask_the_same_are_drawn_together() -> None:
    rows = [
        row("a", "Đói chưa?", "a"),
        row("b", "Mưa à?", "a"),
        row("c", "Nói một câu.", "c"),
        row("d", " Nói một câu. ", "d"),
        row("e", "Mưa à?", "e"),  # asks what b asks, so it is drawn with a as well
        row("f", "Ngủ chưa?"),
    ]
    assert drawn_together(rows) == ["a", "a", "c", "c", "a", "f"]


def test_without_groups_each_row_is_its_own() -> None:
    assert drawn_together([row("a", "1"), row("b", "2")]) == ["a", "b"]


def test_the_validation_part_takes_whole_groups_and_is_the_same_every_time() -> None:
    rows = [row(f"{i:04}", f"câu {i}", group=f"{i // 2:04}") for i in range(1000)]
    rows += [row(f"x{i}", f"lạ {i}", group="large") for i in range(200)]
    train, part = validation_part(rows)
    assert len(part) == 60
    assert not {r.group for r in train} & {r.group for r in part}
    assert sorted(r.id for r in train + part) == sorted(r.id for r in rows)
    assert "large" not in {r.group for r in part}, "a large group would make the part speak about one theme"
    assert {r.id for r in validation_part(rows[::-1])[1]} == {r.id for r in part}
    assert len(validation_part(rows, most=20)[1]) == 20


def test_a_small_training_set_gives_nothing_away() -> None:
    rows = [row(str(i), f"câu {i}") for i in range(FEWEST * 20 - 1)]
    assert validation_part(rows) == (rows, [])
