"""Personal data: what is found in a text, and what only looks like it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from curation.cleaning import personal_data
from curation.persona import Persona
from tests.tools.exports import sample


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Viết cho ta: lon.rung@vidu.vn.", "e-mail address", "lon.rung@vidu.vn"),
        ("gửi lợn.rừng+1@hang-đá.example nhé", "e-mail address", "lợn.rừng+1@hang-đá.example"),
        ("Gọi ta: 0912 345 678 đi", "phone number", "0912 345 678"),
        ("(028) 3822 1234 là số của quán", "phone number", "(028) 3822 1234"),
        ("+84 912-345-678!", "phone number", "+84 912-345-678"),
        ("call me at (650) 253-0000", "phone number", "(650) 253-0000"),
        ("+81 3-1234-5678", "phone number", "+81 3-1234-5678"),
        ("thẻ 4111 1111 1111 1111 đó", "card number", "4111 1111 1111 1111"),
        ("nhắn facebook.com/lonrung95 nha", "personal page", "facebook.com/lonrung95"),
        ("viết hoa (at) vidu.vn nhé", "e-mail address", "hoa (at) vidu.vn"),
        ("CCCD 001095012345 của ta", "identity number", "001095012345"),
        ("SSN 078-05-1120", "identity number", "078-05-1120"),
        ("t.me/boar_king", "personal page", "t.me/boar_king"),
    ],
)
def test_finds(text: str, kind: str, value: str) -> None:
    assert personal_data.find(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "Ta ăn 1000000000 hạt dẻ, 1.000.000.000 hạt!",
        "Năm 1912 1945 2000, ta chưa sinh",
        "thắng 100-0, 99-1, 12-34-56-78",
        "12345678 con boar",
        "@ta @ngươi",
        "a @ b . c",
        "Gọi 113!",
        "4111 1111 1111 1112",
        "0000 0000 0000 0000",
        "facebook.com",
        "099095012345",
        "000-12-3456, 1078-05-1120",
        "Ta đứng (at) trên đỉnh núi. Gió to!",
        "Ta leo 3/4 vách, nghỉ 10:42, lên tiếp 11:05",
    ],
)
def test_leaves_alone(text: str) -> None:
    assert personal_data.find(text) == []


def test_numbers_without_a_country_code_follow_the_personas_languages() -> None:
    assert personal_data.find("090-1234-5678", ("vi",)) == []
    assert personal_data.find("090-1234-5678", ("ja",)) == [("phone number", "090-1234-5678")]
    assert personal_data.find("06 12 34 56 78", ("fr",)) == [("phone number", "06 12 34 56 78")]


def test_every_turn_and_the_topic_are_looked_at_and_one_flag_lists_it_all(persona: Persona) -> None:
    asked = sample("Số tôi là 0912 345 678, viết a@b.vn", "Ta không biết viết!")
    (found,) = personal_data.check(asked, persona)
    assert found.code == "personal_data"
    assert found.detail == "e-mail address: a@b.vn; phone number: 0912 345 678"
    about = replace(sample("Chào", "Hừ!"), topic="Đoạn hội thoại với a@b.vn")
    assert [f.detail for f in personal_data.check(about, persona)] == ["e-mail address: a@b.vn"]
    assert personal_data.check(sample("Chào", "Hừ!"), persona) == ()
