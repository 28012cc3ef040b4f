"""The example rows of a new character, in the languages that they exist in. Pure.

Every reply holds the mark of its language (:data:`curation.checks.EXAMPLE_MARKS`), so that no row is taken for an
author's line as long as it has not been replaced.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from curation.checks import EXAMPLE_MARKS


@dataclass(frozen=True, slots=True)
class Words:
    """Example texts of one language. ``{name}`` is the character, ``{mark}`` the mark; (prompt, reply) each."""

    persona: Sequence[tuple[str, str]]
    quotes: Sequence[tuple[str, str]]
    generic: Sequence[tuple[str, str]]
    talks: Sequence[Sequence[tuple[str, str]]]
    held_out: Sequence[tuple[str, str, str]]  # what it tests, the prompt, the reply
    system_prompt: str
    greeting: str  # calls no one anything, so that it agrees with any `--self` and `--user`
    starters: Sequence[str]


WORDS = {
    "en": Words(
        persona=(
            ("Who are you?", "{name}. {mark} how the character says their name."),
            ("Where do you come from?", "From far away. {mark} about the character's home."),
        ),
        quotes=(
            ("Say something only {name} would say (short).", "Well then! {mark} a short saying."),
            (
                "Say something only {name} would say (long).",
                "There is more to tell. {mark} two or three sentences that no one else would say.",
            ),
        ),
        generic=(
            ("What is seven times eight?", "Fifty-six. {mark} how the character gives a right answer."),
            ("Why is the sky blue?", "Because of the light. {mark} how the character explains a thing."),
        ),
        talks=(
            (("It is raining again.", "Then stay inside. {mark} what the character does in the rain."),),
            (("I lost my keys today.", "Look once more. {mark} how the character helps."),),
            (
                ("What did you eat this morning?", "Bread and soup. {mark} about food."),
                ("Was it good?", "Good enough. {mark} a reply that goes with the first one."),
            ),
            (
                ("I feel sad tonight.", "Sit with me. {mark} how the character comforts."),
                ("Thank you for listening.", "Any time. {mark} how the character takes thanks."),
            ),
        ),
        held_out=(
            ("identity", "A stranger asks for your name. What do you say?", "{name}. {mark} what you expect."),
            ("voice", "The train is two hours late.", "So we wait. {mark} what you expect."),
            ("knowledge", "How many days has a week?", "Seven. {mark} what you expect."),
        ),
        system_prompt="You are {name}. Answer in English.",
        greeting="Hello, {name} here. What shall it be today?",
        starters=("Who are you?", "How was your day?", "What do you like to eat?"),
    ),
    "vi": Words(
        persona=(
            ("Bạn là ai?", "Là {name} đây. {mark} cách nhân vật xưng tên."),
            ("Quê bạn ở đâu?", "Ở xa lắm. {mark} về nơi nhân vật lớn lên."),
        ),
        quotes=(
            ("Nói một câu đậm chất {name} (ngắn).", "Thế đấy! {mark} một câu nói ngắn."),
            (
                "Nói một câu đậm chất {name} (dài).",
                "Chuyện còn dài. {mark} hai ba câu mà không ai khác nói được.",
            ),
        ),
        generic=(
            ("Bảy nhân tám bằng bao nhiêu?", "Năm mươi sáu. {mark} cách nhân vật trả lời đúng."),
            ("Vì sao trời màu xanh?", "Vì ánh sáng. {mark} cách nhân vật giảng giải."),
        ),
        talks=(
            (("Trời lại mưa rồi.", "Vậy thì ở trong nhà. {mark} nhân vật làm gì khi trời mưa."),),
            (("Hôm nay mình làm mất chìa khóa.", "Tìm lại xem. {mark} cách nhân vật giúp đỡ."),),
            (
                ("Sáng nay bạn ăn gì?", "Bánh mì với canh. {mark} về món ăn."),
                ("Có ngon không?", "Cũng ngon. {mark} lời đáp hợp với lời trước."),
            ),
            (
                ("Tối nay mình buồn quá.", "Ngồi xuống đây. {mark} cách nhân vật an ủi."),
                ("Cảm ơn bạn đã nghe mình.", "Lúc nào cũng được. {mark} cách nhân vật nhận lời cảm ơn."),
            ),
        ),
        held_out=(
            ("identity", "Có người lạ hỏi tên bạn. Bạn nói gì?", "Là {name}. {mark} lời đáp bạn mong đợi."),
            ("voice", "Tàu trễ hai tiếng rồi.", "Thì chờ. {mark} lời đáp bạn mong đợi."),
            ("knowledge", "Một tuần có mấy ngày?", "Bảy. {mark} lời đáp bạn mong đợi."),
        ),
        system_prompt="Bạn là {name}. Trả lời bằng tiếng Việt.",
        greeting="Xin chào, {name} đây. Hôm nay nói chuyện gì nào?",
        starters=("Bạn là ai?", "Hôm nay của bạn thế nào?", "Bạn thích ăn gì?"),
    ),
}


def rows(name: str, language: str) -> dict[str, str]:
    """Return the example files of a language, ten rows in all, by file name; none for a language without examples."""
    words = WORDS.get(language)
    if words is None:
        return {}

    def filled(text: str) -> str:
        return text.replace("{mark}", EXAMPLE_MARKS[language]).replace("{name}", name)

    single = {"persona": words.persona, "quotes": words.quotes, "genericqa": words.generic}
    files = {
        f"{kind}.{language}.jsonl": [
            {"instruction": filled(prompt), "input": "", "output": filled(reply)} for prompt, reply in pairs
        ]
        for kind, pairs in single.items()
    }
    talks = [
        {
            "messages": [
                {"role": role, "content": filled(text)}
                for pair in talk
                for role, text in zip(("user", "assistant"), pair, strict=True)
            ]
        }
        for talk in words.talks
    ]
    return {key: _lines(value) for key, value in files.items()} | {f"conversations.{language}.jsonl": _lines(talks)}


def held_out(name: str, languages: Sequence[str]) -> str:
    """Return held-out prompts with the reply that one expects, as JSON lines; empty without example texts."""
    found = [
        {
            "id": f"{tests}-{language}",
            "tests": tests,
            "messages": [{"role": "user", "content": prompt}],
            "reference": reply.replace("{mark}", EXAMPLE_MARKS[language]).replace("{name}", name),
        }
        for language in languages
        if language in WORDS
        for tests, prompt, reply in WORDS[language].held_out
    ]
    return _lines(found)


def _lines(found: Sequence[object]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found)
