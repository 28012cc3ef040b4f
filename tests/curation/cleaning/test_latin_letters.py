"""Latin letters: which words of a text count, and what langdetect is asked."""

from __future__ import annotations

import pytest

from curation.cleaning.latin_letters import detect, judge_words, words_of
from curation.cleaning.word_lists import UNMARKED

OWN = ("vi", "en")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ta là vua, ta là vua!", ["ta", "là", "vua"]),
        ("Hahaha! Grrr! AAAH! Ta đi.", ["ta", "đi"]),
        ("Đứnggg lại! Khôngggg!", ["đứng", "lại", "không"]),
        ("Hôm nay Tanjiro với Nezuko đi chơi", ["hôm", "nay", "với", "đi", "chơi"]),
        ("Tanjiro! Nezuko!", ["tanjiro", "nezuko"]),
        ("Don’t go", ["don't", "go"]),
        ("123 ... ★", []),
        ("ko đc", ["ko", "đc"]),
    ],
)
def test_words_that_count(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_langdetect_gives_the_same_answer_each_time() -> None:
    assert {detect("Ai dám so tài với ta nào?")[0] for _ in range(5)} == {"vi"}
    assert detect("!!! 123") == (None, 0.0)


def test_the_file_settles_near_ties_and_nothing_else() -> None:
    assert judge_words("Long song", OWN, "en").language == "en"
    assert judge_words("Long song", OWN, "vi").language == "vi"
    for file in ("vi", "en", UNMARKED, None):
        assert judge_words("Get out of my way right now", OWN, file).language == "en"
        assert judge_words("Ngươi dám chặn đường ta", OWN, file).language == "vi"
        assert judge_words("nguoi khong so ta sao", OWN, file).unmarked


def test_a_verdict_has_a_confidence_and_a_reason() -> None:
    one = judge_words("Wer bist du?", OWN)
    assert (one.language, one.foreign, one.reason) == ("de", True, "by its words")
    assert 0.9 < one.confidence <= 1.0
    assert judge_words("Hahaha", OWN).reason == "no words"
