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


def test_the_rate_of_a_step_does_not_depend_on_the_clock() -> None:
    clock = Clock()
    within, without = Budget(0.1, max_minutes=60, clock=clock), Budget(0.1)
    within.start()
    for step in range(100):
        clock.now += 1 + 30 * (step % 2)  # a busy machine, which still finishes
        assert not within.watch(step, 100)
        assert within.rate(step, 100) == without.rate(step, 100)


def test_steps_that_do_not_fit_into_the_minutes_are_cooled_down_in_the_last_fifth() -> None:
    clock = Clock()
    budget = Budget(warmup=0.1, max_minutes=3, clock=clock)
    clock.now += 60  # the base is loaded and measured
    budget.start(reserve=20)  # which leaves 100 seconds
    begun = []
    for step in range(1, 101):
        clock.now += 1
        if budget.watch(step, 1000):
            begun.append(step)
        planned = Budget(0.1).rate(step, 1000)
        if step <= 80:
            assert budget.rate(step, 1000) == planned
    assert begun == [80] == [budget.cooled_from]
    assert budget.rate(100, 1000) == 0.0
    assert budget.is_used
    clock.now -= 10
    assert budget.rate(90, 1000) == pytest.approx(0.5 * Budget(0.1).rate(90, 1000))


def test_a_machine_that_becomes_slow_at_the_end_is_cooled_down_too() -> None:
    clock = Clock()
    budget = Budget(warmup=0.0, max_minutes=100 / 60, clock=clock)
    budget.start()
    for step in range(1, 95):
        clock.now += 1
        assert not budget.watch(step, 98)
    clock.now += 5
    assert budget.watch(95, 98) is True  # 1 second is left for 3 steps


def test_minutes_count_from_the_first_beginning_or_anew() -> None:
    clock = Clock()
    first, again = (Budget(0.0, max_minutes=10, clock=clock) for _ in range(2))
    first.start(reserve=30, gone=400, step=50)
    again.start(reserve=30, gone=400, step=50, from_now=True)
    assert (first.left, again.left) == (170, 570)
    assert first.started == again.started == clock.now - 400
    for step in range(51, 56):  # the speed is this process's, not that of the 50 steps before
        clock.now += 1
        assert not first.watch(step, 200)
    assert not first.is_used


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
