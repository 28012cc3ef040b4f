"""What is remembered of a fixed conversation when a small model's summary is useless, and when a good one is not."""

from curation.record import Message
from serve.answering.memory import quotes, supported

VIETNAMESE = [
    Message("user", "Chào! Tớ tên là Lan, tớ nấu phở ở chợ."),
    Message("assistant", "Phở à? Ta ăn mười bát!"),
    Message("user", "Tớ sợ sấm lắm, nhà tớ ở gần suối."),
    Message("assistant", "Sấm có gì mà sợ!"),
    Message("user", "Mai mình gặp nhau ở suối nhé, tớ hứa mang phở cho ngươi."),
    Message("assistant", "Được! Ta đợi!"),
    Message("user", "Ngươi có thích mưa không?"),
    Message("assistant", "Mưa thì tắm!"),
]
ENGLISH = [
    Message("user", "Hi! My name is Tom and I work at a bakery."),
    Message("assistant", "Bread! Give me bread!"),
    Message("user", "I have a dog called Rex. I am allergic to fish. Nice weather."),
    Message("assistant", "A dog is no boar!"),
    Message("user", "Let's meet at the river on Sunday. Do you like rain?"),
    Message("assistant", "I will be there first!"),
]
# What Gemma 3 270M wrote (docs/experiments/2026-11-29-memory-of-a-small-model.md), shortened.
WRITTEN = (
    "Ngươi là ai?\nNgười đối thoại: Tớ là một người đàn ông.\nInosuke: Ta là một người phụ nữ.\n"
    "Người đối thoại: Tớ là một cô gái.\nInosuke: Ta là một người con trai.\nNgười đối thoại: Tớ là một đứa trẻ."
)


def test_a_small_models_inventions_are_not_kept():
    assert supported(WRITTEN, VIETNAMESE) == []
    assert supported("Ino-san ở trong một ngôi trường nhỏ, rộng lớn, có những con vật.", VIETNAMESE) == []


def test_the_visitors_facts_are_quoted_and_nothing_else(persona):
    assert quotes(VIETNAMESE, persona) == [
        "Người đối thoại nói: “Tớ tên là Lan, tớ nấu phở ở chợ.”",
        "Người đối thoại nói: “Tớ sợ sấm lắm, nhà tớ ở gần suối.”",
        "Người đối thoại nói: “Mai mình gặp nhau ở suối nhé, tớ hứa mang phở cho ngươi.”",
    ]
    assert quotes(ENGLISH, persona) == [
        "The visitor said: “My name is Tom and I work at a bakery.”",
        "The visitor said: “I have a dog called Rex.”",
        "The visitor said: “I am allergic to fish.”",
        "The visitor said: “Let's meet at the river on Sunday.”",
    ]


def test_a_summary_in_words_that_were_said_is_kept():
    good = "- Tom is at a bakery, and allergic to fish.\n- Tom and Rex meet at the river on Sunday."
    assert supported(good, ENGLISH) == [line.removeprefix("- ") for line in good.splitlines()]
    assert supported(f"{good}\n- He flew to Paris with a golden dragon.", ENGLISH) == supported(good, ENGLISH)
