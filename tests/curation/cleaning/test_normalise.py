"""Cleaning: one spelling for the same words, and nothing visible lost."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.cleaning.normalise import clean, clean_text
from curation.codes import findings
from curation.record import Flag, Message, Rejected, Sample, Source, sample_id

HERE = Source(path="a.json", sha256="0" * 64, locator="row 1", importer="alpaca")


def sample(reply: str) -> Sample:
    messages = (Message("user", "Này!"), Message("assistant", reply))
    return Sample(
        id=sample_id("quote", messages), kind="quote", messages=messages, language=None, topic=None, source=HERE
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  Ta   đây ! ", "Ta đây !"),
        (unicodedata.normalize("NFD", "Ngươi mạnh thật"), "Ngươi mạnh thật"),
        ("Heo\u200brừng\ufeff", "Heorừng"),
        ("một\r\n\r\n  hai", "một\nhai"),
        ("a\u00a0b\tc", "a b c"),
        ("え", "え"),
    ],
)
def test_one_spelling(before: str, after: str) -> None:
    assert clean_text(before) == after


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_no_visible_character_is_lost(text: str) -> None:
    assert clean_text(text) == unicodedata.normalize("NFC", text)


def test_a_cleaned_sample_keeps_its_id() -> None:
    before = sample(" Hả?  ")
    after = clean(before)
    assert isinstance(after, Sample)
    assert (after.id, after.replies) == (before.id, ("Hả?",))


def test_what_was_respelled_is_kept_and_once_is_enough() -> None:
    before = sample("Ta doạ... doạ ngươi!")
    after = clean(before)
    assert isinstance(after, Sample)
    assert (after.id, after.replies) == (before.id, ("Ta dọa… dọa ngươi!",))
    assert after.flags == (Flag("respelled", "doạ → dọa ×2; ... → … ×1"),)
    assert clean(after) == after
    assert findings(after.flags) == ()


@pytest.mark.parametrize(("reply", "reason"), [("\u200b \u200b", "empty_after_cleaning"), ("a\ud800", "not_unicode")])
def test_what_cannot_be_a_reply_is_rejected_with_its_reason(reply: str, reason: str) -> None:
    rejected = clean(sample(reply))
    assert isinstance(rejected, Rejected) and rejected.reason == reason and rejected.source == HERE
    rejected.text.encode("utf-8")
