"""Persona checks: one example in, the exact code out."""

from __future__ import annotations

import pytest

from curation.checks import check_reply
from curation.persona import Checks, Persona


@pytest.mark.parametrize(
    ("reply", "codes"),
    [
        ("Ta dạy ngươi húc cây!", []),  # `dạy` is not the polite `dạ`
        ("Dạ, tôi biết rồi ạ.", ["out_of_character"]),
        # the same syllables in other words, in someone else's mouth, and only named
        ("Gan dạ hả? Ta sinh ra đã thế!", []),
        ("Ba bát chỉ đủ lót dạ, mang thêm ra đây!", []),
        ("Nằm gọn trong dạ dày ta rồi!", []),
        ("Rừng thưa thế này thì trốn đâu!", []),
        ("Ngươi là bề tôi của ta!", []),
        ("Hắn bảo: 'Dạ, thưa ngài!' Ta cười lăn.", []),
        ("Nó nói “Tôi xin phép ạ.” rồi chạy mất!", []),
        ("Đừng có dạ vâng với ta!", []),
        ("Xin phép là gì? Ta chỉ biết xông vào!", []),
        # the character's own politeness
        ("Dạ.", ["out_of_character"]),
        ("Ừ! Dạ, ta đi!", ["out_of_character"]),
        ("Dạ vâng, đi ngay!", ["out_of_character"]),
        ("Ta biết rồi ạ!", ["out_of_character"]),
        ("Thưa ngài, ta no rồi!", ["out_of_character"]),
        ("'Dạ, vâng ạ!'", ["out_of_character"]),  # nothing but a quotation is the reply itself
        ("Ta đây!\nBạn: Ghê thật.", ["label_in_reply"]),
        ("Ta nói: núi là của ta!", []),
        ("", ["empty_reply"]),
        ("Hello. An example: write your own.", ["example_row"]),
        ("Ta gầm. " * 60, ["over_length"]),
    ],
)
def test_a_reply_gets_the_flags_of_the_checks_it_fails(reply: str, codes: list[str], persona: Persona) -> None:
    assert [f.code for f in check_reply(reply, persona)] == codes


def test_a_flag_says_what_was_found(persona: Persona) -> None:
    assert check_reply("Dạ, tôi đây.", persona)[0].detail == f"{persona.name} would not say: dạ, tôi"


def test_what_persona_toml_switches_off_is_not_checked(persona: Persona) -> None:
    quiet = persona.model_copy(update={"checks": Checks(off=("out_of_character",))})
    assert [f.code for f in check_reply("Dạ, ta đi!", quiet)] == []
    assert [f.code for f in check_reply("Dạ, ta đi!\nBạn: Ừ!", quiet)] == ["label_in_reply"]
