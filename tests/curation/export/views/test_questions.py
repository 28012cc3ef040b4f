"""One question, opposite answers."""

from __future__ import annotations

from typing import Any

import pytest

from curation.export.views.questions import contradictions, folded, repeated, says

NAMES = ("Inosuke", "Hashibira Inosuke")


def row(number: int, *turns: str, topic: str | None = None, kind: str = "conversation") -> Any:
    """Make a chat row of turns that alternate, the user's first."""
    messages = [{"role": ("user", "assistant")[n % 2], "content": t, "name": None} for n, t in enumerate(turns)]
    place = {"source": "mine/a.json", "locator": f"row {number}"}
    return {"id": str(number), "kind": kind, "language": "vi", "topic": topic, "messages": messages, **place}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Inosuke, cậu có đói không?", "Ngươi có đói không?"),
        ("Ngươi có sợ chết không vậy?", "MÀY CÓ SỢ CHẾT KHÔNG???"),
        ("Aoi có từng khen cậu chưa, Inosuke?", "Aoi có từng khen ngươi chưa"),
        ("Do you like rain, Inosuke?", "do you like rain"),
    ],
)
def test_two_ways_of_asking_are_one_question(one: str, other: str) -> None:
    assert folded(one, NAMES) == folded(other, NAMES)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ngươi có sợ nước không?", "Ngươi có sợ lửa không?"),
        ("Ngươi thấy mật chưa?", "Ngươi thấy mặt chưa?"),
        ("Do you like rain?", "Do you like snow?"),
    ],
)
def test_other_words_are_another_question(one: str, other: str) -> None:
    assert folded(one, NAMES) != folded(other, NAMES)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("Có, nhưng kèm theo mắng luôn!", "yes"),
        ("Ừ! Ta từng lội qua đó!", "yes"),
        ("Hahaha! Dĩ nhiên!", "yes"),
        ("Rồi! Từ sáng rồi!", "yes"),
        ("Phải rồi, ta đó!", "yes"),
        ("Yes! Twice!", "yes"),
        ("Of course! I ate it!", "yes"),
        ("Chưa bao giờ!", "no"),
        ("Không! Ta cười vào mặt nó!", "no"),
        ("Hừ, không đời nào!", "no"),
        ("Đời nào! Ta khinh!", "no"),
        ("“Chẳng hề!”", "no"),
        ("Never! Not once!", "no"),
        ("No, and I don't care!", "no"),
        ("Có ai dám đâu mà hỏi!", ""),
        ("Có gì mà sợ!", ""),
        ("Có khi nào ngươi nghe lợn khóc chưa?", ""),
        ("Không ai bằng ta!", ""),
        ("Không những đói, ta còn khát!", ""),
        ("Không biết! Hỏi con gấu ấy!", ""),
        ("Phải húc nó trước đã!", ""),
        ("Rồi ta nhảy xuống vực!", ""),
        ("Được con cá to bằng ta!", ""),
        ("Ta leo lên đó rồi!", ""),
        ("Nothing scares me!", ""),
        ("Note this down!", ""),
        ("", ""),
    ],
)
def test_how_a_reply_begins(reply: str, said: str) -> None:
    assert says(reply) == said


def test_a_question_with_both_answers_names_every_row() -> None:
    rows = [
        row(1, "Inosuke, Aoi có từng khen cậu chưa?", "Chưa bao giờ!"),
        row(2, "Aoi có từng khen ngươi chưa?", "Có, mà mắng luôn!", "Thật à?", "Không!", topic="Hội thoại về Aoi."),
        row(3, "Aoi có từng khen cậu chưa?", "Ta đang ngủ!"),
        row(4, "Ngươi có đói không?", "Có!"),
        row(5, "Ngươi có đói không?", "Có chứ!"),
    ]
    (found,) = contradictions(rows, NAMES)
    assert found.question == "Inosuke, Aoi có từng khen cậu chưa?"
    assert [(a.id, a.place) for a in found.yes] == [("2", "mine/a.json, row 2")]
    assert [(a.id, a.reply) for a in found.no] == [("1", "Chưa bao giờ!")]
    assert repeated(rows, NAMES) == {"questions": 2, "rows": 5}


def test_the_topic_decides_whom_a_question_is_about_where_only_it_names_the_person() -> None:
    asked = "Cậu có ghét hắn không?"
    about = [row(n, asked, reply, topic=f"Hội thoại về {name}.") for n, (name, reply) in enumerate(
        (("Douma", "Có!"), ("Giyu", "Không!"))
    )]  # fmt: skip
    assert contradictions(about, NAMES) == []
    assert len(contradictions([*about, row(9, asked, "Không!", topic="Hội thoại về Douma.")], NAMES)) == 1


@pytest.mark.parametrize(
    "rows",
    [
        [row(1, "Ngươi nghĩ gì về núi?", "Có gió!"), row(2, "Ngươi nghĩ gì về núi?", "Không tệ!")],
        [row(1, "Nói một câu.", "Có!", kind="quote"), row(2, "Nói một câu.", "Không!", kind="quote")],
        [row(1, "Đi chưa?", "Rồi!"), row(2, "Ăn gì?", "Ăn!", "Đi chưa?", "Chưa!")],
    ],
    ids=["not-a-yes-no-question", "a-quote-answers-nothing", "later-turns-depend-on-earlier-ones"],
)
def test_what_is_not_a_contradiction(rows: list[Any]) -> None:
    assert contradictions(rows, NAMES) == []
