"""The word diff: two texts in, exact pieces out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq

from curation.cleaning import differences
from curation.cleaning.differences import turn_pairs, words
from curation.record import Message


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


# ---------------------------------------------------------------- which turns belong together


def user(text: str) -> Message:
    return Message("user", text)


def reply(text: str) -> Message:
    return Message("assistant", text)


def test_a_prompt_and_a_reply_that_both_changed_stay_prompt_and_reply() -> None:
    old = (user("Ngươi ăn gì?"), reply("Ta ăn cá nướng trên núi!"))
    new = (user("Ngươi ăn gì thế?"), reply("Ta ăn cá sống trên núi!"))
    assert turn_pairs(old, new) == [(old[0], new[0]), (old[1], new[1])]


def test_a_turn_that_was_edited_and_one_that_was_added_behind_it() -> None:
    old = (user("Ngươi ăn gì?"), reply("Ta ăn cá nướng!"))
    new = (user("Ngươi ăn gì?"), reply("Ta ăn cá sống!"), user("Sao không nướng?"))
    assert turn_pairs(old, new) == [(old[0], new[0]), (old[1], new[1]), (None, new[2])]


def test_turns_without_a_common_word_pair_by_role_and_place() -> None:
    old = (user("aaa"), reply("bbb"))
    new = (user("ccc"), reply("ddd"))
    assert turn_pairs(old, new) == [(old[0], new[0]), (old[1], new[1])]


def test_a_turn_added_in_front_does_not_shift_the_others() -> None:
    old = (user("Ngươi ăn gì?"), reply("Ta ăn cá nướng!"))
    new = (user("Chào!"), reply("Ta đây!"), user("Ngươi ăn gì hả?"), reply("Ta ăn cá nướng!"))
    assert turn_pairs(old, new) == [(None, new[0]), (None, new[1]), (old[0], new[2]), (old[1], new[3])]


def test_a_turn_of_which_only_the_role_or_the_name_changed_is_one_turn() -> None:
    old = (user("Ta là Inosuke, vua núi!"),)
    for new in (reply("Ta là Inosuke, vua núi!"), Message("user", "Ta là Inosuke, vua núi!", "Tanjiro")):
        assert turn_pairs(old, (new,)) == [(old[0], new)]


roles = st.sampled_from(["user", "assistant"])
turns = st.lists(
    st.builds(
        Message, st.sampled_from(["user", "assistant"]), st.text("ab ", max_size=6), st.sampled_from([None, "T"])
    ),
    max_size=8,
)


@pytest.mark.parametrize("most", [40_000, 0], ids=["alignment", "very long dialogues"])
@given(old=turns, new=turns)
def test_every_turn_occurs_once_and_in_order(most: int, old: list[Message], new: list[Message]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(differences, "_MOST_PAIRS", most)
        pairs = turn_pairs(old, new)
        assert turn_pairs(old, old) == [(turn, turn) for turn in old]
    assert [one for one, _ in pairs if one is not None] == old
    assert [other for _, other in pairs if other is not None] == new
    assert (None, None) not in pairs
    if most:
        # As many equal turns pair as can, in order: the longest common subsequence.
        equal = sum(bool(one and other and _said(one) == _said(other)) for one, other in pairs)
        assert equal == LCSseq.similarity([*map(_said, old)], [*map(_said, new)])


def _said(turn: Message) -> tuple[str, str]:
    return turn.role, turn.content
