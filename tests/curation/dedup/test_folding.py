"""A prompt's key: the same whoever is asked and however politely; another one for another question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.folding import Folding
from curation.persona import Persona


@pytest.fixture(scope="module")
def folding(persona: Persona) -> Folding:
    return Folding(persona.names)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Inosuke, cậu có đói không?", "Cậu có đói không?"),
        ("Cậu có đói không, Inosuke?", "Ngươi có đói không?"),
        ("Cậu đói không Inosuke?", "Cậu đói không?"),
        ("Này Inosuke, mày đói à?", "Ngươi đói hả?"),
        ("Inosuke ơi, bạn đói chưa?", "Em đói chưa ạ?"),
        ("Inosuke đói chưa?", "Cậu đói chưa?"),
        ("Hashibira Inosuke, cậu đói chưa vậy?", "Cậu đói chưa?"),
        ("Inosuke-kun, cậu đói chưa?", "Cậu đói chưa?"),
        ("inosuke ơi cậu đói chưa", "cậu đói chưa"),
        ("Ngươi thích ăn gì nhất?", "Cậu thích ăn gì nhất nhỉ?"),
        ("Cậu đang làm gì thế?", "Mày đang lm j z?"),
        ("Bạn giúp tôi với nhé!", "Cậu giúp tớ với!"),
        ("Kể chuyện đi!", "Kể chuyện nào!"),
        ("Xin chào", "Xin chào Inosuke!"),
        ("Chào ngươi", "Chào cậu nhé!"),
        ("Hey Inosuke, are you hungry?", "Are u hungry?"),
        ("Are you hungry, Inosuke?", "So, are you hungry?"),
        ("Hi Inosuke!", "Hello!"),
        ("伊之助、お腹すいた?", "お腹すいた?"),
        ("Inosuke, Nezuko có hay giúp Tanjiro không?", "Nezuko có hay giúp Tanjiro không?"),
    ],
)
def test_one_question(folding: Folding, one: str, other: str) -> None:
    assert folding.prompt(one) == folding.prompt(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Cậu giúp tớ", "Tớ giúp cậu"),
        ("Em có thương anh không?", "Anh có thương em không?"),
        ("Cậu ấy mạnh không?", "Cậu mạnh không?"),
        ("Hắn ta mạnh không?", "Hắn mày mạnh không?"),
        ("Anh hùng là gì?", "Bạn hùng là gì?"),
        ("Anh Tanjiro mạnh không?", "Ngươi Tanjiro mạnh không?"),
        ("Cậu nghĩ gì về Tanjiro?", "Cậu nghĩ gì về Zenitsu?"),
        ("Tanjiro giúp Zenitsu à?", "Zenitsu giúp Tanjiro à?"),
        ("Cậu có sợ không?", "Cậu không sợ à?"),
        ("Cậu muốn đi?", "Cậu muốn?"),
        ("Bạn của cậu là ai?", "Cậu của bạn là ai?"),
        ("Inosuke là ai?", "Tanjiro là ai?"),
        ("Cậu thích mật?", "Cậu thích mặt?"),
        ("Is he hungry?", "Are you hungry?"),
    ],
)
def test_two_questions(folding: Folding, one: str, other: str) -> None:
    assert folding.prompt(one) != folding.prompt(other)


def test_a_prompt_of_nothing_but_address_keeps_its_words(folding: Folding) -> None:
    assert folding.prompt("Inosuke!") == "inosuke"
    assert folding.prompt("?!") == "?!"


def test_replies_keep_their_pronouns(folding: Folding) -> None:
    assert folding.reply("Ngươi yếu!") != folding.reply("Mày yếu!")


@given(st.text())
def test_every_text_has_a_key_unless_it_is_blank(text: str) -> None:
    assert bool(Folding(["Inosuke"]).prompt(text)) == bool(Folding().reply(text))
