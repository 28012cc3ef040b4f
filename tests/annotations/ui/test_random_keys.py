"""A few of the benchmark's random keys and misfortunes, each time the suite runs: `benchmarks/desk_keys.py`."""

from __future__ import annotations

import pytest

from benchmarks.desk_keys import RECORDER, press, recorded
from benchmarks.desk_text import recover

pytestmark = pytest.mark.browser


def test_random_keys_judge_only_what_was_on_the_screen(annotator, desk):
    an = annotator()
    an.context.add_init_script(RECORDER)
    an.page.close()
    an.page = an.open()
    tally = press(an.page, 300, seed=1, rates=(5, 15, 30))
    recorded(desk[1], an.page, an.who, tally)
    assert tally.wrong() == []
    assert tally.verdicts > 20
    assert tally.composed > 5


def test_typed_text_is_there_after_each_misfortune(annotator):
    found = recover(annotator(), 6, seed=1)
    assert found.missing == []
    assert found.typed > 100
