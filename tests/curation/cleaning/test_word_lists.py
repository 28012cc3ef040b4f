"""Word lists: how probable words are in a language, without marks, and in Latin letters for Japanese."""

from __future__ import annotations

import pytest

from curation.cleaning import word_lists
from curation.cleaning.word_lists import ROMAJI, UNMARKED, likeliest, word_evidence


def test_every_language_of_the_lists_in_latin_letters_is_named_by_iso_639_1() -> None:
    languages = word_lists.latin_languages()
    assert {"vi", "en", "de", "fr", "es", "id", "it", "tl", "no", "hr"} <= set(languages)
    assert not {"ja", "ru", "ar", "fil", "nb", "sh"} & set(languages)


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("ngươi không", "vi"),
        ("nguoi khong", UNMARKED),
        ("who goes there", "en"),
        ("wer bist du", "de"),
        ("qui es tu", "fr"),
        ("nani kore", ROMAJI),
        ("cáo gừng", "vi"),
    ],
)
def test_words_are_most_probable_where_they_belong(words: str, language: str) -> None:
    codes = (*word_lists.latin_languages(), UNMARKED, ROMAJI)
    assert max(codes, key=lambda code: word_evidence(words.split(), code)) == language


def test_particles_are_written_as_they_are_said() -> None:
    assert word_lists.knows(ROMAJI, "wa") and word_lists.knows(ROMAJI, "o") and word_lists.knows(ROMAJI, "desu")


@pytest.mark.parametrize(
    ("word", "plain"), [("người", "nguoi"), ("Đứng", "Dung"), ("đ", "d"), ("quỳ", "quy"), ("go", "go"), ("が", "が")]
)
def test_marks_are_left_out(word: str, plain: str) -> None:
    assert word_lists.without_marks(word) == plain
    assert word_lists.has_marks(word) == (word != plain)


def test_a_language_without_a_list_knows_no_word() -> None:
    assert not word_lists.knows("sw", "habari")
    assert word_lists.share_known(["the", "zzyzx"], "en") == 0.5
    assert word_lists.share_known([], "en") == 0.0


def test_of_the_languages_of_one_script_the_words_choose() -> None:
    assert likeliest("Я найсильніший у світі, що ти робиш?", "ru") == "uk"
    assert likeliest("Привет, слабак!", "ru") == "ru"
    assert likeliest("誰だ", "ja") == "ja"
