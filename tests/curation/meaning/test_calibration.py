"""The threshold: the default until there are enough verdicts, then isotonic; and what its interval counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from curation.meaning.calibration import DEFAULT_COSINE, LEAST_PAIRS, calibrate, calibrate_each
from curation.meaning.verdicts import JudgedPair


def pairs(answers: list[bool]) -> list[JudgedPair]:
    return [JudgedPair(f"a{n}", f"b{n}", same) for n, same in enumerate(answers)]


def test_before_enough_verdicts_the_default_counts_and_says_so() -> None:
    found = calibrate(pairs([True, False] * 5), np.linspace(0.9, 1, 10))
    assert (found.threshold, found.source, found.judged) == (DEFAULT_COSINE["replies"], "default", 10)
    assert found.words()[0].startswith("0.96 is the default for replies: a threshold of your own needs 30 judged pairs")
    assert calibrate([], np.empty(0)).words() == [found.words()[0].replace("10 are judged", "0 are judged")]


def test_one_answer_alone_places_no_threshold() -> None:
    found = calibrate(pairs([True] * 50), np.linspace(0.9, 1, 50))
    assert found.source == "default"


def test_the_threshold_lies_where_half_of_the_pairs_are_the_same() -> None:
    cosine = np.linspace(0.90, 0.99, 40)
    found = calibrate(pairs([False] * 20 + [True] * 20), cosine)
    assert (found.threshold, found.source) == (cosine[20], "verdicts")
    assert (found.above, found.same, found.share) == (20, 20, 1.0)


def test_a_stray_verdict_does_not_move_it() -> None:
    """One low pair that is the same is pooled with its neighbours, which are not."""
    cosine = np.linspace(0.90, 0.99, 40)
    answers = [False] * 20 + [True] * 20
    answers[3] = True
    assert calibrate(pairs(answers), cosine).threshold == cosine[20]


def test_the_sentence_names_share_interval_and_number() -> None:
    cosine = np.array([0.95] * 30 + [0.97] * 54)
    found = calibrate(pairs([False] * 30 + [True] * 45 + [False] * 9), cosine)
    exact = binomtest(45, 54).proportion_ci(method="exact")
    assert (found.low, found.high) == (pytest.approx(exact.low), pytest.approx(exact.high))
    assert found.words() == [
        "0.97 follows from 84 judged pairs of replies",
        "from 0.97 on, 83% [71, 92] of 54 judged pairs were the same (54 independent groups; 95% interval)",
    ]


def test_pairs_that_share_a_text_count_as_one_group() -> None:
    star = [JudgedPair("kept", f"b{n}", n < 15) for n in range(20)]
    alone = calibrate(pairs([n < 15 for n in range(20)]), np.full(20, 0.97), given=0.96)
    one = calibrate(star, np.full(20, 0.97), given=0.96)
    assert (alone.independent, one.independent) == (20, 1)
    assert one.share == alone.share == 0.75
    assert one.low is not None and alone.low is not None and one.low < alone.low
    chain = [
        JudgedPair("a", "b", True),
        JudgedPair("c", "d", True),
        JudgedPair("b", "c", True),
        JudgedPair("x", "y", True),
    ]
    assert calibrate(chain, np.full(4, 0.97), given=0.9).independent == 2


def test_replies_and_dialogues_have_thresholds_of_their_own() -> None:
    cosine = np.linspace(0.90, 0.99, 40)
    replies = pairs([False] * 20 + [True] * 20)
    dialogues = [JudgedPair(f"c{n}", f"d{n}", n >= 35, "dialogues") for n in range(40)]
    found = calibrate_each([*replies, *dialogues], np.concatenate([cosine, cosine]))
    assert {g: (c.threshold, c.judged, c.above) for g, c in found.items()} == {
        "replies": (cosine[20], 40, 20),
        "dialogues": (cosine[35], 40, 5),
    }
    assert {g: c.threshold for g, c in calibrate_each([], np.empty(0)).items()} == DEFAULT_COSINE


def test_a_given_threshold_stays_and_has_its_share() -> None:
    found = calibrate(pairs([False] * 20 + [True] * 20), np.linspace(0.9, 0.99, 40), given=0.9)
    assert (found.threshold, found.source, found.share) == (0.9, "given", 0.5)


@given(st.lists(st.tuples(st.floats(0.8, 1.0), st.booleans()), max_size=80), st.integers(1, 10))
def test_share_and_interval_hold_together_for_any_verdicts(judged: list[tuple[float, bool]], texts: int) -> None:
    made = [JudgedPair(f"a{n % texts}", f"b{n}", same) for n, (_, same) in enumerate(judged)]
    found = calibrate(made, np.array([c for c, _ in judged]))
    assert found.judged == len(judged)
    assert found.above == sum(c >= found.threshold for c, _ in judged)
    assert found.independent <= found.above
    if found.above:
        assert found.low is not None and found.share is not None and found.high is not None
        assert 0 <= found.low <= found.share + 1e-9 and found.share <= found.high + 1e-9 <= 1 + 2e-9
    if found.source == "verdicts":
        assert len(judged) >= LEAST_PAIRS
        assert found.share is not None and found.share >= 0.5
