"""Which language a conversation is in, by what the user says."""

from __future__ import annotations

import json

import pytest

from curation.chat import from_alpaca, language_of
from curation.persona import Persona
from curation.record import Message
from tests.conftest import ROOT


def said(*turns: str) -> list[Message]:
    return [Message("assistant" if n % 2 else "user", text) for n, text in enumerate(turns)]


@pytest.mark.parametrize(
    "text",
    [
        "Ngươi là ai?",
        "nguoi la ai",
        "may an com chua",
        "NGUOI LA AI",
        "tao buon qua",
        "choi voi ta di",
        "Tanjiro oi",
        "an gi ko",
        "Cam on",
        "Nghe Spotify không?",
        "\u0110i cho\u031bi na\u0300o",  # combining marks
        "Ừ",
    ],
)
def test_vietnamese_is_known_with_marks_and_without(text: str, persona: Persona) -> None:
    assert language_of(said(text), persona) == "vi"
    assert language_of(said("Who are you?", "Me!", text), persona) == "vi"


@pytest.mark.parametrize(
    "text",
    [
        "Who are you?",
        "who r u",
        "can you do a song",
        "do you want to come",
        "I love banh mi",
        "What does ngươi mean?",
        "Who is 伊之助?",
        "Tell me a joke",
        "Fight me!",
        "don’t",
    ],
)
def test_english_is_known(text: str, persona: Persona) -> None:
    assert language_of(said(text), persona) == "en"
    assert language_of(said("Ngươi là ai?", "Ta!", text), persona) == "en"


@pytest.mark.parametrize("text", ["", "…", "2+2=?", "ok", "haha", "Inosuke!", "你是谁", "🐗", "the"])
def test_what_shows_no_language_leaves_it_as_it_was(text: str, persona: Persona) -> None:
    assert language_of(said(text), persona) == "vi"
    assert language_of(said("Who are you?", "Me!", text), persona) == "en"


def test_a_greeting_decides_only_where_nothing_else_does(persona: Persona) -> None:
    assert language_of(said("Hi!"), persona) == "en"
    assert language_of(said("Ngươi là ai?", "Ta!", "Hi!"), persona) == "vi"
    assert language_of(said("Hi!", "Hừ.", "Ngươi là ai?"), persona) == "vi"


def test_the_characters_own_words_do_not_decide(persona: Persona) -> None:
    assert language_of(said("Ngươi là ai?", "I am the king of the mountain!"), persona) == "vi"
    assert language_of([], persona) == "vi"


@pytest.mark.parametrize(
    ("languages", "text", "expected"),
    [
        (("en",), "Ngươi là ai?", "en"),
        (("en", "ja"), "お前は誰だ", "ja"),
        (("zh", "ja"), "你是谁", "zh"),
        (("zh", "ja"), "お前は誰だ", "ja"),
        (("en", "ja"), "誰", "ja"),
        (("ko", "en"), "who are you", "en"),
        (("en", "ru"), "Кто ты?", "ru"),
        (("en", "fr"), "Qui es-tu et pourquoi ?", "fr"),
        (("es", "en"), "¿Quién eres tú?", "es"),
        (("de", "vi"), "Wer bist du?", "de"),
        (("en-GB", "vi-VN"), "Ngươi là ai?", "vi-VN"),
        (("sw", "en"), "what is this", "en"),
    ],
)
def test_the_personas_languages_limit_the_choice(
    languages: tuple[str, ...], text: str, expected: str, persona: Persona
) -> None:
    assert language_of(said(text), persona.model_copy(update={"languages": languages})) == expected


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_line_of_the_starter_corpus_is_known(language: str, persona: Persona) -> None:
    rows = 0
    for file in sorted((ROOT / "datasets" / "sources" / "handwritten").glob(f"*.{language}.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            messages = from_alpaca(json.loads(line), "conversation", persona).messages
            assert language_of(messages, persona) == language, messages[0]
            rows += 1
    assert rows > 150
