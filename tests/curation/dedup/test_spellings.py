"""One spelling for what people type: chat spellings, stretched sounds, tone marks, look-alikes; what stays apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.spellings import negations, words


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Ta ko sợ ngươi đâu, ko bao h!", "Ta không sợ ngươi đâu, không bao giờ!"),
        ("Hok bik j hết á", "không biết gì hết á"),
        ("Đc r, lm j z?", "Được rồi, làm gì vậy?"),
        ("Mún ăn cơm vs ta k?", "Muốn ăn cơm với ta không?"),
        ("Ngta fải tập nhìu lun", "Người ta phải tập nhiều luôn"),
        ("Điiiii nàooooo! Lao lênnnnn!", "Đi nào! Lao lên!"),
        ("Khôôôông! Trờiiiii ơiiii", "Không! Trời ơi"),
        ("đii nàoo", "Đi nào"),
        ("Hahahahaha vui quá", "haha vui quá"),
        ("Ta kì lạ và quý mến bác sĩ", "Ta kỳ lạ và quí mến bác sỹ"),
        ("Lý do mỹ mãn", "Lí do mĩ mãn"),
        ("khỏe hòa thủy hóa dọa lòe", "khoẻ hoà thuỷ hoá doạ loè"),
        ("ＡＢＣ！ Ta mạnh", "ABC! Ta mạnh"),
        ("Tа mạnh như núі", "Ta mạnh như núi"),  # Cyrillic а and і
        ("Ta thắng rồi 😂🔥 :))", "Ta thắng rồi"),
        ("“Đừng chạy!”", "'Đừng chạy!'"),
        ("goooood morninggg", "good morning"),
        ("Nooooo wayyyy, so coooool", "no way, so cool"),
        ("Hellllloooo", "hello"),
        ("Don't u dare, I'm the boss", "do not you dare, I am the boss"),
        ("It's not safe to go alone!", "It's dangerous to go alone!"),
        ("Đường này không an toàn", "Đường này nguy hiểm"),
    ],
)
def test_these_are_the_same_words(typed: str, meant: str) -> None:
    assert words(typed) == words(meant)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("vỡ mật", "vỡ mặt"),
        ("Ta đấm", "Ta đâm"),
        ("lưu", "lu"),
        ("xoong", "xong"),
        ("thúy", "thúi"),
        ("hay", "hai"),
        ("Cao 5 m", "Cao 5 mày"),
        ("nặng 3 k", "nặng 3 không"),
        ("good", "god"),
        ("Ta sợ", "Ta không sợ"),
        ("It is safe", "It is not safe"),
        ("よい", "わるい"),
        ("1000", "10"),
        ("Да", "Нет"),
    ],
)
def test_these_are_other_words(one: str, other: str) -> None:
    assert words(one) != words(other)


def test_vietnamese_chat_spellings_do_not_touch_english() -> None:
    assert words("new york mets vs atlanta braves") == ["new", "york", "mets", "vs", "atlanta", "braves"]
    assert words("my baby, why cry") == ["my", "baby", "why", "cry"]


def test_negations_are_counted_in_both_languages() -> None:
    assert negations(words("Ta không sợ, chẳng bao giờ")) == 2
    assert negations(words("I won't, never")) == 2
    assert negations(words("Ta sợ")) == 0


@given(st.text())
def test_any_text_has_words_without_spaces(text: str) -> None:
    assert all(word and not any(c.isspace() for c in word) for word in words(text))
