"""The draw and the bound of an audit: published values, simulated coverage, and what a changed row counts for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from curation.review.audit import Answer, Row, draw_rows, upper_bound


def test_the_bound_is_that_of_clopper_and_pearson() -> None:
    assert upper_bound(1, 150) == pytest.approx(0.0312, abs=5e-4)
    # No wrong row in n: 1 - 0.05 ** (1 / n), near the rule of three.
    assert upper_bound(0, 150) == pytest.approx(1 - 0.05 ** (1 / 150))
    assert upper_bound(3, 3) == 1.0
    with pytest.raises(ValueError, match="4 wrong of 3"):
        upper_bound(4, 3)


@given(st.integers(1, 400), st.data())
def test_at_the_bound_so_few_wrong_rows_have_a_chance_of_one_in_twenty(read: int, data: st.DataObject) -> None:
    from scipy.stats import binom

    wrong = data.draw(st.integers(0, read - 1))
    assert binom.cdf(wrong, read, upper_bound(wrong, read)) == pytest.approx(0.05, abs=1e-6)


def test_the_bound_holds_in_95_of_100_corpora() -> None:
    """2,000 corpora of 9,259 rows with any share of wrong rows up to 10%, 150 read of each."""
    chance = np.random.default_rng(20261129)
    size, read = 9_259, 150
    wrong_rows = chance.integers(0, size // 10, 2_000)
    found = chance.hypergeometric(wrong_rows, size - wrong_rows, read)
    bounds = beta.ppf(0.95, found + 1, read - found)
    assert upper_bound(int(found[0]), read) == pytest.approx(bounds[0])
    assert np.mean(bounds >= wrong_rows / size) >= 0.95


def test_the_bound_holds_with_the_rows_that_are_drawn() -> None:
    """2,000 corpora of 300 rows of which 15 are wrong; the draw itself picks 40."""
    rows = [f"{n:016x}" for n in range(300)]
    wrong = set(rows[::20])
    held = [
        upper_bound(len(wrong.intersection(draw_rows(rows, 40, seed))), 40) >= len(wrong) / len(rows)
        for seed in range(2_000)
    ]
    assert sum(held) / len(held) >= 0.95


@given(st.sets(st.text("0123456789abcdef", min_size=4, max_size=4), max_size=60), st.integers(1, 80), st.integers())
def test_a_draw_is_without_replacement_and_does_not_depend_on_the_order(frame: set[str], size: int, seed: int) -> None:
    drawn = draw_rows(sorted(frame), size, seed)
    assert len(set(drawn)) == len(drawn) == min(size, len(frame))
    assert set(drawn) <= frame
    assert drawn == draw_rows(sorted(frame, reverse=True), size, seed)


def test_every_row_is_as_likely_as_another() -> None:
    rows = [f"row {n}" for n in range(20)]
    times = dict.fromkeys(rows, 0)
    for seed in range(4_000):
        for row in draw_rows(rows, 5, seed):
            times[row] += 1
    # 4,000 draws of 5 in 20: 1,000 each, with a standard deviation of 27.
    assert max(abs(n - 1_000) for n in times.values()) < 120


@pytest.mark.parametrize(
    ("answers", "stands", "outcome"),
    [
        ("", True, "open"),
        ("right", True, "open"),
        ("right right", True, "right"),
        ("wrong wrong", True, "wrong"),
        ("right wrong", True, "disputed"),
        ("right right wrong", True, "disputed"),
        ("", False, "changed"),
        ("right right", False, "changed"),
        # Found wrong, then corrected: leaving it out would make the rest look better than the sample was.
        ("wrong", False, "wrong"),
        ("wrong wrong", False, "wrong"),
        ("right wrong", False, "disputed"),
    ],
)
def test_what_a_row_counts_for(answers: str, stands: bool, outcome: str) -> None:
    row = Row("r")
    for number, verdict in enumerate(answers.split()):
        who = f"reader {number}"
        row.answers[who] = Answer(id=who, time="", draw="d", row="r", verdict=verdict, annotator=who)  # type: ignore[arg-type]
    assert row.outcome(2, stands) == outcome
