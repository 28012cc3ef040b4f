"""The word diff: two texts in, exact pieces out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.cleaning.differences import words


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("Ngươi vỡ mật!", "Ngươi vỡ mặt!", [("same", "Ngươi vỡ "), ("old", "mật"), ("new", "mặt"), ("same", "!")]),
        ("俺は強い", "俺が強い", [("same", "俺"), ("old", "は"), ("new", "が"), ("same", "強い")]),
        ("猪突猛進", "猪突妄進", [("same", "猪突"), ("old", "猛"), ("new", "妄"), ("same", "進")]),
        ("", "a", [("new", "a")]),
        ("a", "a", [("same", "a")]),
    ],
)
def test_differences_are_shown_by_word(old: str, new: str, pieces: list[tuple[str, str]]) -> None:
    assert words(old, new) == pieces


@given(st.text(), st.text())
def test_the_pieces_give_both_texts_back(old: str, new: str) -> None:
    pieces = words(old, new)
    assert "".join(text for side, text in pieces if side != "new") == old
    assert "".join(text for side, text in pieces if side != "old") == new
