"""Scripts: which ones the letters of a text are in, and what they say about its language."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.cleaning.scripts import foreign_letters, foreign_words, language_of_script, script_names, scripts_of


@pytest.mark.parametrize(
    "text", ["Ta là vua!", "ＡＢＣ", "😀 → ★ 100 %", "“…” – ‘x’", "Ễ e\u0302\u0303 ƀ ꜳ", "", "ﬁ", "1２③"]
)
def test_latin_letters_marks_and_signs_are_not_foreign(text: str) -> None:
    assert foreign_letters(text) == Counter() == foreign_words(text)


def test_letters_are_counted_by_script_and_words_as_the_script_divides_them() -> None:
    text = "Ta 俺は山の王だ、Привет, слабак! 너 누구야"
    assert foreign_letters(text) == {"Hani": 3, "Hira": 3, "Cyrl": 12, "Hang": 4}
    assert foreign_words(text) == {"Hani": 2, "Hira": 2, "Cyrl": 2, "Hang": 2}
    assert script_names(Counter({"Hira": 1, "Cyrl": 5})) == "Cyrillic, Hiragana"


@given(st.text())
def test_a_script_with_letters_has_words(text: str) -> None:
    assert foreign_words(text).keys() == foreign_letters(text).keys()


def test_languages_and_scripts() -> None:
    assert scripts_of("vi") == scripts_of("en") == {"Latn"}
    assert scripts_of("ja") == {"Hira", "Kana", "Hani"}
    assert scripts_of("ko") == {"Hang", "Hani"}
    assert language_of_script(Counter({"Hani": 5, "Hira": 1})) == "ja"
    assert language_of_script(Counter({"Hani": 5})) == "zh"
    assert language_of_script(Counter({"Hani": 5}), ("vi", "ja")) == "ja"
    assert language_of_script(Counter({"Cyrl": 5})) == "ru"
    assert language_of_script(Counter({"Cyrl": 5}), ("bg",)) == "bg"
