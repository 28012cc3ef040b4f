"""Stop strings in a stream of pieces, also when one is split over two pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.engines.transformers_parts.stop_strings import StopStrings


def shown(pieces, *stops):
    checker = StopStrings(stops)
    text = "".join(checker.feed(piece) for piece in pieces)
    return text + checker.rest(), checker.hit


@pytest.mark.parametrize(
    ("pieces", "stops", "text", "hit"),
    [
        (["Ta là", " Inosuke!"], (), "Ta là Inosuke!", False),
        (["Ta là", " Inosuke!"], ("Bạn:",), "Ta là Inosuke!", False),
        (["Hừ! Bạn: gì"], ("Bạn:",), "Hừ! ", True),
        (["Hừ! B", "ạ", "n", ": gì"], ("Bạn:",), "Hừ! ", True),  # in pieces, and never shown in part
        (["Hừ! B", "a"], ("Bạn:",), "Hừ! Ba", False),  # only the beginning of one
        (["a\n", "\nb"], ("\n\n",), "a", True),
        (["xyz"], ("z", "y"), "x", True),  # the first in the text, not in the list
        (["aab"], ("ab",), "a", True),
    ],
)
def test_a_reply_ends_before_the_first_stop_string(pieces, stops, text, hit):
    assert shown(pieces, *stops) == (text, hit)


@given(st.lists(st.text("abc", max_size=4), max_size=12), st.lists(st.text("abc", min_size=1, max_size=3), max_size=3))
def test_however_the_text_is_cut_into_pieces_the_same_is_shown(pieces, stops):
    whole = "".join(pieces)
    ends = [whole.find(s) for s in stops if s in whole]
    assert shown(pieces, *stops) == ((whole[: min(ends)], True) if ends else (whole, False))
