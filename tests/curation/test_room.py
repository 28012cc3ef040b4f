"""A room's conversation as each character reads it, and who speaks next."""

import pytest

from curation import chat
from curation.persona import Persona, Rooms
from curation.record import Message
from curation.room import Line, heard, next_speaker, unwilling
from tests.tools.personas import anne
from tests.tools.tokenizers import chatml_tokenizer

VISITOR = None


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    def made(name, *aliases, **more):
        return Persona(
            root=tmp_path_factory.getbasetemp(), name=name, aliases=aliases, languages=("vi", "en"),
            system_prompt=f"Ngươi là {name}.", user_labels=("Bạn",), **more,
        )  # fmt: skip

    return {
        "inosuke": made("Inosuke", "伊之助", "Chúa Tể"),
        "zenitsu": made("Zenitsu", "Agatsuma"),
        "anne": anne().model_copy(update={"rooms": Rooms(allowed=True)}),
    }


def lines(*said):
    return [Line(*one) for one in said]


def test_own_lines_are_replies_and_all_others_are_the_users_with_their_names(people):
    talk = lines(
        (VISITOR, "Chào hai bạn!"), ("inosuke", "Ta đây!"), ("zenitsu", "Ôi trời."), (VISITOR, "Ai khoẻ hơn?"),
        ("inosuke", "Ta!"), (VISITOR, "Vậy sao?"),
    )  # fmt: skip
    assert heard(talk, "inosuke", people) == [
        Message("user", "Chào hai bạn!"),  # the visitor alone: as in a usual chat
        Message("assistant", "Ta đây!"),
        Message("user", "Ôi trời.", "Zenitsu"),
        Message("user", "Ai khoẻ hơn?", "Khách"),  # else it would read as Zenitsu's
        Message("assistant", "Ta!"),
        Message("user", "Vậy sao?"),
    ]
    assert heard(talk, "zenitsu", people, "Lan") == [
        Message("user", "Chào hai bạn!", "Lan"),
        Message("user", "Ta đây!", "Inosuke"),
        Message("assistant", "Ôi trời."),
        Message("user", "Ai khoẻ hơn?", "Lan"),
        Message("user", "Ta!", "Inosuke"),
        Message("user", "Vậy sao?", "Lan"),
    ]
    english = heard(lines(("zenitsu", "What is that?"), (VISITOR, "It is your dinner.")), "inosuke", people)
    assert [m.name for m in english] == ["Zenitsu", "Visitor"]


def test_a_model_reads_names_as_in_training_and_templates_that_alternate_get_one_turn(people):
    talk = lines((VISITOR, "Chào!"), ("zenitsu", "Ôi."), ("inosuke", "Hả?"), ("zenitsu", "Chạy!"), (VISITOR, "Khoan!"))
    messages = heard(talk, "inosuke", people)
    tokenizer = chatml_tokenizer()
    separate = tokenizer.decode(chat.render(messages, tokenizer, people["inosuke"]).input_ids)
    assert "user\nZenitsu: Chạy!<|im_end|>\n<|im_start|>user\nKhách: Khoan!<|im_end|>" in separate
    tokenizer.chat_template = ALTERNATING
    merged = tokenizer.decode(chat.render(messages, tokenizer, people["inosuke"]).input_ids)
    assert merged == (
        "<|im_start|>user\nNgươi là Inosuke.\n\nKhách: Chào!\nZenitsu: Ôi.<|im_end|>\n<|im_start|>assistant\nHả?"
        "<|im_end|>\n<|im_start|>user\nZenitsu: Chạy!\nKhách: Khoan!<|im_end|>\n<|im_start|>assistant\n"
    )


def test_past_the_window_the_oldest_exchanges_go(people):
    talk = lines(*[(who, f"Câu {n} của ai đó.") for n in range(40) for who in (VISITOR, "zenitsu", "inosuke")][:-1])
    messages = heard(talk, "inosuke", people)
    fitted = chat.fit(messages, chatml_tokenizer(), people["inosuke"], 600)
    assert fitted.dropped and fitted.messages[0].name == "Khách" and fitted.messages == messages[fitted.dropped :]


@pytest.mark.parametrize(
    ("talk", "who"),
    [
        ([(VISITOR, "Chào!")], "inosuke"),  # no one has spoken: in the order of the room
        ([(VISITOR, "Chào!"), ("inosuke", "Hừ.")], "zenitsu"),
        ([(VISITOR, "Chào!"), ("inosuke", "Hừ."), ("zenitsu", "Ôi."), ("anne", "Oh!")], "inosuke"),
        ([("inosuke", "Hừ."), ("zenitsu", "Ôi."), (VISITOR, "Anne nghĩ sao, Zenitsu?")], "anne"),  # named first
        ([("zenitsu", "Ôi."), (VISITOR, "Này AGATSUMA!")], "zenitsu"),
        ([("zenitsu", "Zenitsu này sợ lắm, 伊之助は？")], "inosuke"),  # never the one who spoke, however named
        ([("inosuke", "Zenitsuuu!")], "zenitsu"),
        ([("anne", "Chu\u0301a Te\u0302\u0309 ơi!"), ("zenitsu", "Annette?")], "inosuke"),
    ],
)
def test_who_is_named_answers_else_whoever_spoke_longest_ago(people, talk, who):
    assert next_speaker(lines(*talk), people) == who


def test_all_must_let_each_other_in(people):
    def pair(one, other):
        return unwilling(
            [people["inosuke"].model_copy(update={"rooms": one}), people["zenitsu"].model_copy(update={"rooms": other})]
        )

    def rooms(**table):
        return Rooms.model_validate(table)

    yes, no = rooms(allowed=True), rooms()
    assert pair(yes, yes) is None
    assert [persona.name for persona in pair(yes, no)] == ["Zenitsu", "Inosuke"]
    assert [persona.name for persona in pair(no, yes)] == ["Inosuke", "Zenitsu"]
    assert pair(rooms(allowed=True, **{"with": ["agatsuma"]}), yes) is None
    assert pair(rooms(allowed=True, **{"with": ["Tanjiro"]}), yes) is not None


ALTERNATING = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate!') }}"
    "{% endif %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
