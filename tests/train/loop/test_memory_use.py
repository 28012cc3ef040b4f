"""The hint at a driver that uses main memory without an error. The clock and the steps are the test's own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from train.loop.memory_use import SpeedWatch, peak_bytes, whole_bytes


def steps(watch: SpeedWatch, count: int) -> None:
    for _ in range(count):
        watch.recorder.tokens += 100
        watch.on_step_end(None, None, None)


@pytest.mark.parametrize(("seconds_a_step", "told"), [(0.1, 0), (0.35, 0), (0.5, 1), (5.0, 1)])
def test_steps_far_slower_than_the_forecast_are_told_once(seconds_a_step: float, told: int) -> None:
    said: list[str] = []
    recorder = SimpleNamespace(tokens=0)

    def clock() -> float:
        return 100.0 + seconds_a_step * recorder.tokens / 100

    watch = SpeedWatch(recorder, 1000.0, said.append, clock)  # type: ignore[arg-type]
    steps(watch, 20)
    assert len(said) == told
    assert all("On Windows and WSL the card may be full" in line for line in said)


def test_an_evaluation_between_the_steps_is_not_taken_for_slow_steps() -> None:
    said: list[str] = []
    now = [0.0]
    watch = SpeedWatch(SimpleNamespace(tokens=0), 1000.0, said.append, lambda: now[0])  # type: ignore[arg-type]
    for _ in range(5):
        for _ in range(4):
            now[0] += 0.1
            steps(watch, 1)
        now[0] += 60
        watch.on_evaluate(None, None, None)
    steps(watch, 4)
    assert said == []


def test_the_peak_is_a_part_of_the_whole() -> None:
    assert 10**7 < peak_bytes() < whole_bytes()
