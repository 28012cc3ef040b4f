"""What commands print: lengths of time, lists of counts."""

from __future__ import annotations

import pytest

from curation.console import duration, listed


@pytest.mark.parametrize(("seconds", "said"), [(0, "0:00"), (123, "2:03"), (3723.4, "1:02:03"), (59.6, "1:00")])
def test_a_length_of_time(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_counts_are_listed_without_those_that_are_zero() -> None:
    assert listed({"train": 1200, "near": 0, "eval": 130}) == "train 1,200, eval 130"
