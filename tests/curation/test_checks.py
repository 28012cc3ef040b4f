"""Persona checks: one example in, the exact code out."""

from __future__ import annotations

import pytest

from curation.checks import check_reply
from curation.persona import Persona


@pytest.mark.parametrize(
    ("reply", "codes"),
    [
        ("Ta dạy ngươi húc cây!", []),  # `dạy` is not the polite `dạ`
        ("Dạ, tôi biết rồi ạ.", ["out_of_character"]),
        ("Ta đây!\nBạn: Ghê thật.", ["label_in_reply"]),
        ("Ta nói: núi là của ta!", []),
        ("", ["empty_reply"]),
        ("Ta gầm. " * 60, ["over_length"]),
    ],
)
def test_a_reply_gets_the_flags_of_the_checks_it_fails(reply: str, codes: list[str], persona: Persona) -> None:
    assert [f.code for f in check_reply(reply, persona)] == codes


def test_a_flag_says_what_was_found(persona: Persona) -> None:
    assert check_reply("Dạ, tôi đây.", persona)[0].detail == f"{persona.name} would not say: dạ, tôi"
