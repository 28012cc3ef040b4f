"""Whom a dialogue is about: the topic says it where the dialogue does not, and a flag where nothing does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.chat import with_topic
from curation.cleaning.referents import check, mention
from curation.commands.dataset import dataset
from curation.contracts.rows import read_chat_rows
from curation.persona import Persona
from curation.record import Message, Sample, Source, sample_id

Project = Callable[..., Path]
SOURCE = Source(path="f.json", sha256="0" * 64, locator="row 1", importer="json")


def talk(*turns: str, topic: str | None = None, language: str = "vi") -> Sample:
    messages = tuple(Message("assistant" if at % 2 else "user", text) for at, text in enumerate(turns))
    key = sample_id("conversation", messages)
    return Sample(id=key, kind="conversation", messages=messages, language=language, topic=topic, source=SOURCE)


@pytest.mark.parametrize(
    ("topic", "turns", "told"),
    [
        ("Đoạn hội thoại nhiều lượt về Douma.", ("Inosuke, cậu có ngán hắn không?", "Không!"), "(Về Douma) Inosuke, c"),
        ("Nói về Daki", ("Cô ta đẹp không?", "Xấu!"), "(Về Daki) Cô ta"),
        ("Hội thoại khi gặp lại Akaza sau trận đấu", ("Hắn thế nào?", "Yếu!"), "(Về Akaza) Hắn"),
        ("Rengoku", ("Anh ấy mạnh không?", "Mạnh!"), "(Về Rengoku) Anh ấy"),
        ("Hội thoại về quạ.", ("Inosuke, nó có kêu không?", "Kêu!"), "(Về quạ) Inosuke, nó"),
        ("Đoạn hội thoại về mẹ lợn rừng.", ("Bà ấy có bảo vệ cậu không?", "Có!"), "(Về mẹ lợn rừng) Bà ấy"),
        ("A talk about Douma.", ("Are you afraid of him?", "Never!"), "(About Douma) Are you"),
        ("Multi-turn dialogue about Shinobu", ("Did she heal you?", "Hmph!"), "(About Shinobu) Did she"),
        ("Nói về Douma", ("Cậu ổn chứ?", "Ổn!", "Hắn đâu rồi?", "Chạy rồi!"), "(Về Douma) Cậu ổn"),
        # nothing is missing
        ("Nói về Douma", ("Douma mạnh không? Hắn cười kìa.", "Yếu!"), "Douma mạnh"),
        ("Nói về Douma", ("Cậu có đói không?", "Có!"), "Cậu có"),
        ("Nói về Douma", ("Người ta bảo cậu mạnh?", "Đúng!"), "Người ta"),
        ("Nói về Douma", ("Cậu ở đâu?", "Với Akaza!", "Hắn sao rồi?", "Ngủ!"), "Cậu ở"),
        ("Hội thoại khi được khen", ("Đây là máy giặt, nó giặt đồ.", "Hả?"), "Đây là"),
        ("Hội thoại về quạ", ("Con quạ đâu? Nó kêu mà.", "Hả?"), "Con quạ"),
        ("Hội thoại về việc Inosuke tập luyện hằng ngày", ("Cậu tập gì?", "Đấm!"), "Cậu tập"),
        (None, ("Hắn mạnh không?", "Yếu!"), "Hắn mạnh"),
    ],
)
def test_the_topic_says_whom_a_question_leaves_out(
    persona: Persona, topic: str | None, turns: tuple[str, ...], told: str
) -> None:
    sample = talk(*turns, topic=topic, language="en" if turns[0].isascii() else "vi")
    messages = with_topic(sample.messages, mention(sample, persona.names))
    assert messages[0].content.startswith(told) and messages[0].content.endswith(turns[0])
    assert messages[1:] == sample.messages[1:]
    # Said once, it is said.
    again = talk(*(m.content for m in messages), topic=topic)
    assert with_topic(again.messages, mention(again, persona.names)) == messages


@pytest.mark.parametrize(
    ("turns", "topic", "flagged"),
    [
        (("Cậu có ngán hắn không?", "Không!"), None, "hắn"),
        (("Inosuke, cô ta đâu rồi?", "Chạy!"), None, "cô ta"),
        (("Are you afraid of him?", "Never!"), None, "him"),
        (("Cậu ổn chứ?", "Ổn!", "Còn hắn?", "Chạy rồi!"), "Hội thoại vui.", "hắn"),
        (("Cậu có ngán hắn không?", "Không!"), "Nói về Douma", ""),
        (("Cậu có ngán Douma không? Hắn cười kìa.", "Không!"), None, ""),
        (("Tanjiro mạnh không? Anh ấy đâu?", "Hừ!"), None, ""),
        (("Cậu có ngán hắn không?", "Douma hả? Không!"), None, ""),
        (("Nếu bố thấy cậu, hắn sẽ sao?", "Hắn cười!"), None, ""),
        (("Con quỷ kia, hắn đâu?", "Chạy!"), None, ""),
        (("Người ta bảo cậu thô lỗ?", "Đúng!"), None, ""),
        (("Cậu có đói không?", "Có!"), None, ""),
        (("Đây là máy giặt, nó giặt đồ.", "Hả?"), None, ""),
        (("Do you know the old man? He waits.", "Yes!"), None, ""),
    ],
)
def test_a_pronoun_that_nothing_explains_is_flagged(
    persona: Persona, turns: tuple[str, ...], topic: str | None, flagged: str
) -> None:
    assert [flag.detail for flag in check(talk(*turns, topic=topic), persona)] == [flagged] * bool(flagged)


def build(root: Path) -> dict[str, Any]:
    result = CliRunner().invoke(dataset, ["--persona", str(root / "persona.toml"), "--json"], catch_exceptions=False)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_training_reads_the_name_and_review_reads_the_row_as_it_is(project: Project) -> None:
    row = {
        "instruction": "Đoạn hội thoại nhiều lượt về Douma.",
        "input": "Bạn: Inosuke, cậu có ngán hắn không?\nInosuke:",
        "output": "Không đời nào! Ta húc hắn bay!\nBạn: Lỡ hắn chạy mất thì sao?\nInosuke: Ta đuổi tới cùng!",
    }
    alone = {"instruction": "Hỏi: Ngươi có ghét hắn không?", "input": "", "output": "Ghét!"}
    root = project({"handwritten/conversations.json": json.dumps([row, alone])})
    report = build(root)
    assert report["flagged"] == {"lost_referent": 1}
    export = Path(report["path"])
    rows = {r.id: r for side in ("train", "eval") for r in read_chat_rows(export, side)}  # type: ignore[arg-type]
    (told,) = [r.messages for r in rows.values() if len(r.messages) == 4]
    assert told[0] == Message("user", "(Về Douma) Inosuke, cậu có ngán hắn không?", "Bạn")
    assert "Đoạn hội thoại" not in "".join(m.content for m in told)
    lines = (export / "jsonl" / "instruct.train.jsonl").read_text("utf-8").splitlines()
    lines += (export / "jsonl" / "instruct.eval.jsonl").read_text("utf-8").splitlines()
    assert told[0].content in [json.loads(line)["instruction"] for line in lines]
    assert build(root)["up_to_date"]
