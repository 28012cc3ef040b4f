"""Chat spelling: which words of Vietnamese are abbreviations, and which letters only look like them."""

from __future__ import annotations

import pytest

from curation.cleaning.chat_spelling import chat_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ko sao đâu, t mạnh vl, m làm j đc t!!!", ("Ko", "t", "vl", "m", "j", "đc", "t")),
        ("ta k sợ", ("k",)),
        ("K sao đâu", ("K",)),
        ("Ngươi bik ta là ai hok?", ("bik", "hok")),
        ("sao z trời", ("z",)),
        ("t vs m đi chơi", ("t", "m")),
        ("bao h ăn cơm?", ("h",)),
        ("cx đc, để mik lo, ntn cũng xong", ("cx", "đc", "mik", "ntn")),
        ("ta thik ăn lun", ("thik", "lun")),
    ],
)
def test_abbreviations_are_found(text: str, words: tuple[str, ...]) -> None:
    assert chat_words(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "Ta cao 2 m, nặng 60 kg, giá 10k, lúc 5h, chạy 100 m.",
        "Chữ k viết thế nào? Nút j ở đâu?",
        "Ta KO hắn trong một hiệp!",
        "Hông chịu đâu nha! Thui mà! Hổng thèm!",
        "Ta đây! À, ừ, ê, ơ, ô, í!",
        "Kế hoạch B: chạy. Vitamin C.",
        "D.J. K-pop, C/O, k'ho, a.k.a",
        "Ê, m thấy không?",
        "Ta là Inosuke, chúa tể rừng núi!",
    ],
)
def test_what_only_looks_like_them_is_left_alone(text: str) -> None:
    assert chat_words(text) == ()
