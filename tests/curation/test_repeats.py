"""What a sequence that comes again costs, and that single words cost nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.repeats import ALLOWED, BASE, RANGE, repeat_penalties


@pytest.mark.parametrize(
    ("reply", "costs"),
    [
        ([], {}),
        ([7, 7], {}),  # a word twice: the question's words may come as often as they like
        ([1, 2, 3, 1, 2], {3: 1.0}),  # "1 2" was followed by 3
        ([1, 2, 3, 9, 1, 2, 4, 1, 2], {3: 1.0, 4: 1.0}),
        ([1, 2, 3, 4, 9, 1, 2, 3], {4: BASE}),  # a sequence of three
        ([5, 5, 5, 5], {5: BASE}),  # "fat fat fat fat"
        ([1, 2, 3], {}),
    ],
)
def test_only_a_token_that_continues_a_repeated_sequence_costs(reply: list[int], costs: dict[int, float]) -> None:
    assert repeat_penalties(reply, 1.0) == pytest.approx(costs)
    assert repeat_penalties(reply, 0.5) == pytest.approx({token: cost / 2 for token, cost in costs.items()})
    assert repeat_penalties(reply, 0.0) == {}


@given(st.lists(st.integers(0, 3), max_size=40))
def test_costs_are_those_of_the_definition(reply: list[int]) -> None:
    wanted: dict[int, float] = {}
    for token in range(4):
        for length in range(ALLOWED, len(reply)):
            sequence = [*reply[-length:], token]
            if any(reply[i : i + length + 1] == sequence for i in range(len(reply) - length)):
                wanted[token] = BASE ** (length - ALLOWED)
    assert repeat_penalties(reply, 1.0) == pytest.approx(wanted)


def test_an_endless_loop_costs_a_finite_amount() -> None:
    assert repeat_penalties([1, 2] * 500, 5.0)[1] < float("inf")
    assert len(repeat_penalties(list(range(RANGE)) * 2, 1.0)) == 0  # further back than is looked at
