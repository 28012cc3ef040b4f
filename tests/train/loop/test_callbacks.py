"""The time budget, the learning rate that follows it, and the steps with an evaluation."""

from __future__ import annotations

import pytest

from train.loop.callbacks import Budget, Recorder, evaluation_steps


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_warms_up_and_follows_a_cosine_to_zero() -> None:
    budget = Budget(warmup=0.1)
    assert budget.rate(0, 100) == pytest.approx(0.1)  # a rate of 0 would waste the first step
    assert budget.rate(0, 8) == 1.0  # a warm-up shorter than a step has no effect, and the rate never exceeds the peak
    assert budget.rate(5, 100) == pytest.approx(0.5)
    assert budget.rate(10, 100) == pytest.approx(1.0)
    assert budget.rate(55, 100) == pytest.approx(0.5)
    assert budget.rate(100, 100) == pytest.approx(0.0)


def test_a_budget_that_will_run_out_takes_the_rate_down_with_it() -> None:
    clock = Clock()
    budget = Budget(warmup=0.1, max_minutes=3, clock=clock)
    clock.now += 60  # the base is loaded and measured
    budget.start(reserve=20)
    assert budget.used == 0
    clock.now += 55  # of 100 seconds: 180 minus the 60 that are used and 20 for the last evaluation
    assert budget.used == pytest.approx(0.55)
    assert budget.rate(20, 1000) == pytest.approx(0.5)
    clock.now += 45
    assert budget.rate(40, 1000) == pytest.approx(0.0)


def test_a_budget_that_is_large_enough_changes_nothing() -> None:
    clock = Clock()
    within, without = Budget(0.1, max_minutes=60, clock=clock), Budget(0.1)
    for step in range(100):
        clock.now += 1
        assert within.rate(step, 100) == without.rate(step, 100)


@pytest.mark.parametrize(
    ("per_epoch", "total", "evals", "expected"),
    [
        (10, 20, 1, {10, 20}),
        (10, 20, 2, {5, 10, 15, 20}),
        (10, 15, 2, {5, 10, 15}),
        (3, 3, 8, {1, 2, 3}),
        (10, 7, 1, {7}),
    ],
)
def test_evaluations_fall_on_even_parts_of_an_epoch_and_on_the_last_step(
    per_epoch: int, total: int, evals: int, expected: set[int]
) -> None:
    assert evaluation_steps(per_epoch, total, evals) == expected


def test_rows_seen_count_an_epochs_smaller_last_step() -> None:
    recorder = Recorder(Budget(0.0), rows=10, batch_rows=4, eval_steps=set())
    assert [recorder.rows_at(step) for step in range(7)] == [0, 4, 8, 10, 14, 18, 20]
