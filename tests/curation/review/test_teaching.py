"""The order of review by what would teach most, on signals as given."""

from __future__ import annotations

import random

import pytest

from curation.review.teaching import Signals, doubt, order


def ids(samples: list[Signals], approved: dict[int, int] | None = None) -> list[str]:
    placed = order(samples, approved or {})
    assert sorted(p.place for p in placed.values()) == list(range(len(samples)))
    return sorted(placed, key=lambda name: placed[name].place)


def test_the_reply_that_the_run_finds_least_likely_comes_first() -> None:
    samples = [Signals(id=name, unit=name, surprise=nll) for name, nll in (("a", 1.0), ("b", 3.0), ("c", 2.0))]
    assert ids(samples) == ["b", "c", "a"]


def test_topics_take_turns_so_that_neighbours_do_not_follow_each_other() -> None:
    samples = [
        Signals(id=f"{t}{n}", unit=f"{t}{n}", surprise=9.0 - 3 * t - n, topic=t) for t in range(3) for n in (0, 1)
    ]
    shown = ids(samples)
    assert [name[0] for name in shown] == ["0", "1", "2", "0", "1", "2"]
    assert shown[:3] == ["00", "10", "20"], "within a topic the most unlikely one comes first"


def test_a_topic_with_few_approved_samples_comes_before_one_with_many() -> None:
    samples = [Signals(id="a", unit="a", topic=0), Signals(id="b", unit="b", topic=1)]
    placed = order(samples, {0: 50, 1: 2})
    assert (placed["b"].place, placed["b"].why) == (0, "thin")
    assert (placed["a"].place, placed["a"].why) == (1, "spread")


def test_a_flag_that_is_right_half_of_the_time_comes_before_settled_ones() -> None:
    samples = [
        Signals(id="settled", unit="settled", doubt=doubt([0.97])),
        Signals(id="none", unit="none", doubt=doubt([])),
        Signals(id="open", unit="open", doubt=doubt([0.5, 1.0])),
    ]
    assert ids(samples) == ["open", "settled", "none"]
    assert order(samples, {})["open"].why == "doubt"


@pytest.mark.parametrize(
    ("precisions", "expected"), [([], 0.0), ([1.0], 0.0), ([0.0], 0.0), ([0.5], 1.0), ([0.75, 1.0], 0.5), ([None], 1.0)]
)
def test_doubt_is_greatest_at_one_half_and_without_verdicts(precisions: list[float | None], expected: float) -> None:
    assert doubt(precisions) == expected


def test_near_duplicates_stay_together_and_the_order_does_not_depend_on_the_input() -> None:
    drawn = random.Random(3)
    samples = [
        Signals(
            id=f"{n:03}", unit=f"u{n // 3}" if n < 30 else f"{n:03}", surprise=drawn.choice([1.0, 2.0]), topic=n % 5
        )
        for n in range(60)
    ]
    expected = order(samples, {1: 3})
    drawn.shuffle(samples)
    assert order(samples, {1: 3}) == expected
    for unit in range(10):
        places = sorted(expected[f"{unit * 3 + k:03}"].place for k in range(3))
        assert places[2] - places[0] == 2


def test_nothing_measured_is_still_an_order() -> None:
    assert ids([Signals(id=name, unit=name) for name in "cab"]) == ["a", "b", "c"]
    assert ids([]) == []
