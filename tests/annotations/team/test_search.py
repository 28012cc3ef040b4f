"""Find and replace in turns: whole words, marks, case, groups, and patterns that cannot be used."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.team.search import Replacement
from curation.errors import UsageError
from curation.record import Message


def replaced(text: str, find: str, put: str, **options: bool) -> str:
    turns, _ = Replacement(find, put, **options).apply([Message("assistant", text)])
    return turns[0].content


@pytest.mark.parametrize(
    ("text", "find", "put", "options", "expected"),
    [
        ("Ta ăn. Tan rồi! ta", "ta", "tao", {"whole_word": True}, "Ta ăn. Tan rồi! tao"),
        ("Ta ăn. Tan rồi!", "ta", "tao", {"whole_word": True, "ignore_case": True}, "tao ăn. Tan rồi!"),
        ("Tanjiro và Tan", "Tan", "Zen", {}, "Zenjiro và Zen"),
        (unicodedata.normalize("NFD", "mật ong mặt"), "mật", "đường", {"whole_word": True}, "đường ong mặt"),
        ("mật ong", unicodedata.normalize("NFD", "mật"), "x", {"whole_word": True}, "x ong"),
        ("x\u0323 x", "x", "y", {"whole_word": True}, "x\u0323 y"),
        ("x\u0323 x", "x", "y", {}, "x\u0323 y"),
        ("giá 5.5 và 505", "5.5", "6", {}, "giá 6 và 505"),
        (r"a\1", r"\1", r"\g<0>", {}, r"a\g<0>"),
        ("Inosuke Hashibira", r"(\w+) (\w+)", r"\2 \1", {"regex": True}, "Hashibira Inosuke"),
        ("a  b", r" +", " ", {"regex": True}, "a b"),
    ],
)
def test_what_is_replaced(text: str, find: str, put: str, options: dict[str, bool], expected: str) -> None:
    assert replaced(text, find, put, **options) == expected


def test_only_the_character_s_turns() -> None:
    turns, n = Replacement("ta", "tao", only_assistant=True).apply([Message("user", "ta"), Message("assistant", "ta")])
    assert ([t.content for t in turns], n) == (["ta", "tao"], 1)


@pytest.mark.parametrize(
    ("find", "put", "says"),
    [
        ("", "x", "nothing to find"),
        ("(", "x", "not a regular expression"),
        ("a", r"\2", "group"),
        ("a*", "x", "matches an empty text"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused(find: str, put: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Replacement(find, put, regex=True)


WORDS = st.text(st.sampled_from("taạmật ơ.!"), max_size=30)


@given(WORDS, st.sampled_from(["ta", "mật", "t"]))
def test_whole_words_are_those_that_splitting_finds(text: str, find: str) -> None:
    expected = unicodedata.normalize("NFC", text).replace(".", " ").replace("!", " ").split().count(find)
    _, n = Replacement(find, "x", whole_word=True).apply([Message("assistant", text)])
    assert n == expected


@given(WORDS)
def test_replacing_back_and_forth_gives_the_text_again(text: str) -> None:
    there = replaced(text, "mật", "đường")
    assert replaced(there, "đường", "mật") == (unicodedata.normalize("NFC", text) if there != text else text)
