"""Times and days of the annotator's place, and numbers of their language."""

from __future__ import annotations

from datetime import UTC

import pytest

from annotations.store.review_store import ReviewStore
from annotations.ui.local_time import clock, named_zone, number
from annotations.words import say
from tests.annotations.conftest import Clock


@pytest.mark.parametrize(
    ("time", "zone", "shown"),
    [
        ("2026-11-28T17:30:00.000+00:00", "Asia/Ho_Chi_Minh", "2026-11-29 00:30"),
        ("2026-11-28T17:30:00.000", "Asia/Ho_Chi_Minh", "2026-11-29 00:30"),
        ("2026-11-28T18:14:59+00:00", "Asia/Kathmandu", "2026-11-28 23:59"),
        ("2026-11-28T17:30:00+00:00", "Nowhere/Atlantis", "2026-11-28 17:30"),
        ("2026-11-28T17:30:00+00:00", "../../etc/passwd", "2026-11-28 17:30"),
        ("2026-11-28T17:30:00+00:00", None, "2026-11-28 17:30"),
        ("some day", "Asia/Ho_Chi_Minh", "some day"),
    ],
)
def test_a_time_of_the_log_at_the_annotators_place(time: str, zone: str | None, shown: str) -> None:
    assert clock(time, named_zone(zone)) == shown


def test_a_verdict_after_midnight_counts_for_the_new_day(store: ReviewStore, clock: Clock, item) -> None:
    store.queue.load([item(1), item(2)])
    clock.now = 1_795_887_000.0  # 2026-11-28 17:30 UTC
    store.decide(item(1).sample.id, "An", "approve", revision=0)
    clock.now -= 3600
    store.decide(item(2).sample.id, "An", "approve", revision=0)
    here = store.statistics.by_day(named_zone("Asia/Ho_Chi_Minh"))
    assert [(day.date, day.verdicts) for day in here] == [("2026-11-28", 1), ("2026-11-29", 1)]
    assert [(day.date, day.verdicts) for day in store.statistics.by_day(UTC)] == [("2026-11-28", 2)]


def test_numbers_have_the_separators_of_the_language() -> None:
    assert (number(1355, "vi"), number(1355, "en"), number(355, "vi")) == ("1.355", "1,355", "355")
    assert say("left", "vi", n=1355).startswith("còn 1.355 mẫu") and say("left", "en", n=1355).startswith("1,355")
