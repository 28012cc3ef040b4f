"""What a client's messages become, by role, place and policy."""

import pytest

from curation.record import Message
from serve.http.openai_parts.messages import OpenAIMessage, conversation, transcript
from serve.http.openai_responses import model_id
from serve.schema import InvalidRequest

U, A, S, T = "user", "assistant", "system", "tool"


def made(persona, *messages, policy="after", prompt="chat"):
    """Return the turns as pairs, the character's own system prompt as OURS."""
    given = [OpenAIMessage.model_validate({"role": role, "content": content}) for role, content in messages]
    talk = conversation(given, policy, persona, prompt)
    ours = [persona.system_prompt_in(language) for language in persona.languages]
    turns = []
    for turn in talk.turns:
        text = turn.content
        for prompt_text in ours:
            text = text.replace(prompt_text, "OURS")
        turns.append((turn.role, text))
    return turns


@pytest.mark.parametrize(
    ("messages", "turns"),
    [
        ([(U, "Hi!")], [(U, "Hi!")]),
        ([(S, "One."), (S, "Two."), (U, "Hi!")], [(S, "OURS\n\nOne.\n\nTwo."), (U, "Hi!")]),
        ([("developer", "One."), (U, "Hi!")], [(S, "OURS\n\nOne."), (U, "Hi!")]),
        ([(U, "Hi!"), (A, "Ha!"), (S, "Go on.")], [(U, "Hi!"), (A, "Ha!"), (U, "Go on.")]),
        ([(U, "Hi!"), (S, "Note."), (A, "Ha!"), (U, "Ho!")], [(U, "Hi!"), (U, "Note."), (A, "Ha!"), (U, "Ho!")]),
        ([(A, "Welcome!"), (U, "Hi!")], [(A, "Welcome!"), (U, "Hi!")]),
        ([(U, "Hi!"), (A, "I am")], [(U, "Hi!"), (A, "I am")]),
        ([(U, "Hi!"), (A, "")], [(U, "Hi!")]),
        ([(U, "Hi!"), (A, None), (T, "21 °C"), (U, "And?")], [(U, "Hi!"), (U, "21 °C"), (U, "And?")]),
        ([(U, "Hi!"), (U, " "), (A, "Ha!"), ("function", "x")], [(U, "Hi!"), (A, "Ha!"), (U, "x")]),
        ([(S, "You are."), (S, "Summarise.")], [(S, "OURS\n\nYou are."), (U, "Summarise.")]),
        ([(S, ""), (U, "Hi!")], [(U, "Hi!")]),
    ],
)
def test_each_message_has_its_place(persona, messages, turns):
    assert made(persona, *messages) == turns


def test_the_policy_decides_about_the_system_prompt(persona):
    messages = [(S, "Rhyme."), (U, "Hi!"), (A, "Ha!"), (S, "Note."), (U, "Ho!")]
    assert made(persona, *messages, policy="theirs")[0] == (S, "Rhyme.")
    assert made(persona, *messages, policy="ours") == [(U, "Hi!"), (A, "Ha!"), (U, "Ho!")]
    given = [OpenAIMessage.model_validate({"role": role, "content": content}) for role, content in messages]
    assert conversation(given, "ours", persona, "chat").left_out == ("messages.0", "messages.3")


def test_a_layout_without_a_system_prompt_gets_it_in_the_first_turn(persona):
    assert made(persona, (S, "Rhyme."), (U, "Hi!"), prompt="alpaca") == [(U, "Rhyme.\n\nHi!")]
    assert made(persona, (S, "Rhyme."), (A, "Ha!"), prompt="alpaca") == [(U, "Rhyme."), (A, "Ha!")]


@pytest.mark.parametrize(
    ("messages", "key"),
    [
        ([(U, "Hi!"), (U, " ")], "messages.1.content"),
        ([(A, None)], "messages"),
        ([(S, "a\x00b"), (U, "Hi!")], "messages.0.content"),
        ([(U, "x" * 4001)], "messages.0.content"),
        ([(S, "x" * 9000), (S, "x" * 9000), (U, "Hi!")], "messages"),
    ],
)
def test_a_refusal_names_the_message(persona, messages, key):
    with pytest.raises(InvalidRequest) as refused:
        made(persona, *messages)
    assert refused.value.key == key


def test_a_third_speaker_keeps_the_name(persona):
    given = [OpenAIMessage(role="user", content="Fight!", name="Zenitsu")]
    assert conversation(given, "after", persona, "chat").turns == (Message("user", "Fight!", "Zenitsu"),)


@pytest.mark.parametrize(
    ("text", "stops", "turns"),
    [
        ("Xin chào", [], None),
        ("A story.\nUser: Hi!\nInosuke:", [], [(S, "A story."), (U, "Hi!")]),
        ("User: Hi!\nOn two lines.\nInosuke: I am", [], [(U, "Hi!\nOn two lines."), (A, "I am")]),
        ("Anon: Hi!\nInosuke: Ha!\nAnon: Ho!\nInosuke:", ["\nAnon:"], [(U, "Hi!"), (A, "Ha!"), (U, "Ho!")]),
        ("Inosuke: Ha!\nUser: Ho!", [], None),
    ],
)
def test_a_prompt_that_ends_with_the_characters_turn_is_a_transcript(persona, text, stops, turns):
    found = transcript(text, stops, persona)
    assert turns == (None if found is None else [(m.role, m.text) for m in found])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Inosuke", "inosuke"),
        ("Emilia: the Half-Elf", "emilia-the-half-elf"),
        ("Đặng Thị", "dang-thi"),
        ("伊之助", "character"),
    ],
)
def test_a_models_id_is_the_characters_name_and_stays(persona, name, expected):
    assert model_id(persona.model_copy(update={"name": name})) == expected
