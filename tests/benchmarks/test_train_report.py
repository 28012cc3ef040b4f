"""The arithmetic of the training benchmark: time to equal nll, intervals over groups, and what the table says."""

from __future__ import annotations

import pytest

from benchmarks.train_report import Side, difference, nll, reached, table

CURVE = [(10.0, 20.0, 1.8), (20.0, 40.0, 1.6), (30.0, 60.0, 1.5)]


@pytest.mark.parametrize(
    ("target", "seconds"),
    [(1.5, 30.0), (1.55, 25.0), (1.6, 20.0), (1.7, 15.0), (1.8, 10.0), (2.0, 10.0)],
    ids=["the end", "between", "on a point", "early", "first point", "before the first point"],
)
def test_time_to_a_target(target: float, seconds: float) -> None:
    assert reached(CURVE, target, 0) == pytest.approx(seconds)
    assert reached(CURVE, target, 1) == pytest.approx(2 * seconds)


def test_a_curve_that_rises_again_counts_from_where_it_stays_below() -> None:
    assert reached([(10, 10, 1.4), (20, 20, 1.8), (30, 30, 1.4)], 1.6, 0) == pytest.approx(25)


def test_a_target_that_was_not_reached_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ends at 1\.5, above 1\.4"):
        reached(CURVE, 1.4, 0)


def scored(*values: float, groups: str = "abcd") -> dict[str, object]:
    return {"nll": [10 * v for v in values], "chars": [10] * len(values), "group": list(groups)}


def side(label: str, *scores: dict[str, object], seconds: float = 10) -> Side:
    trainings = [
        {"rows": 10, "seconds": seconds + n, "cpu_seconds": 2 * seconds, "peak_mb": 100 * seconds}
        for n in range(len(scores))
    ]
    curve = [(seconds, 2 * seconds, sum(map(nll, scores)) / len(scores))]
    return Side(label, f"{label}'s settings", trainings, scores, curve)


def test_the_interval_of_the_difference_is_drawn_over_groups() -> None:
    """Rows that are alike count as one: two groups of four tell less than eight rows."""
    ours, theirs = scored(*[1] * 4, *[2] * 4, groups="abcdefgh"), scored(*[2] * 8, groups="abcdefgh")
    rows = difference(side("ours", ours), side("trl", theirs))
    groups = {"group": list("aaaabbbb")}
    grouped = difference(side("ours", ours | groups), side("trl", theirs | groups))
    assert (rows["value"], rows["groups"]) == (-0.5, 8)
    assert (grouped["value"], grouped["groups"]) == (-0.5, 2)
    assert (grouped["low"], grouped["high"]) == (-1, 0)
    assert rows["low"] > -1 and rows["high"] < 0


def test_sides_that_were_measured_on_different_rows_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different rows"):
        difference(side("ours", scored(1, 2, groups="ab")), side("trl", scored(1, 2, groups="ac")))


def test_the_table_tells_who_is_quicker_and_whether_the_nll_is_equal() -> None:
    ours = side("ours", scored(1, 1.2, 1, 1.2), scored(1.2, 1, 1.2, 1), seconds=10)
    theirs = side("trl", scored(1.2, 1, 1.2, 1), scored(1, 1.2, 1, 1.2), seconds=30)
    text = table(ours, theirs, scored(2, 2, 2, 2), ["tried"], "heading")
    assert "| nll per reply character, before | 2.000 | 2.000 |" in text
    assert "| **s to nll 1.100, by the clock** | 10 | 30 | **3.0 times as quick** (goal: 2.5) |" in text
    assert "| s a dialogue, by the clock | 1.05 | 3.05 | 2.9 (2.8 to 3.0) |" in text
    assert "| peak memory, MB | 1,000 | 3,000 | 3.0 |" in text
    assert "neither side is better at equal dialogues" in text

    worse = side("trl", scored(1.3, 1.4, 1.3, 1.5), seconds=30)
    assert "At equal dialogues ours is better" in table(
        side("ours", scored(1, 1, 1, 1)), worse, scored(2, 2, 2, 2), [], ""
    )
