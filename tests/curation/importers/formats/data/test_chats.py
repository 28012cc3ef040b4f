"""What chat programs, bots' pages and card editors save: the chosen words of each, and reasons for all others."""

import json

import pytest

from curation.errors import InosukeError
from curation.transcripts.scenes import to_samples
from tests.curation.importers.formats.data.files import CARD, CHARACTER_AI, CHAT_PAGE, DISCORD, SILLYTAVERN, TELEGRAM
from tests.curation.importers.looks import rejections, said, turns


def lines(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def mes(name, text, is_user=False, **more):
    return {"name": name, "is_user": is_user, "mes": text, **more}


CHAT = [("*", "Ai đó?"), ("?", "Tớ."), ("*", "Hừ!")]
NAMED = [("*", "Ai đó?"), ("You", "Tớ."), ("*", "Hừ!")]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_sillytavern_takes_the_chosen_swipe(imported, name):
    found = imported(name, lines(*SILLYTAVERN) if name == "a.jsonl" else json.dumps(SILLYTAVERN))
    assert [turns(s) for s in found.samples] == [NAMED]
    assert rejections(found) == [("other_version", "Sao?")]
    assert [f.code for f in found.samples[0].flags] == ["written_by_model"]
    assert found.samples[0].source.importer == "sillytavern"


def test_sillytavern_leaves_out_what_is_hidden_or_written_by_the_program(imported):
    found = imported(
        "a.jsonl",
        lines(
            mes("Minh", "Chào!", True),
            mes("SillyTavern System", "Connected.", is_system=True),
            mes("Inosuke", "Hả?", extra={"type": "narrator"}),
            mes("Inosuke", "Ta đây!"),
            mes("Inosuke", "  "),
            mes("Minh", "Rồi.", True),
        ),
    )
    assert [turns(s) for s in found.samples] == [[("Minh", "Chào!"), ("*", "Ta đây!")]]
    assert rejections(found) == [
        ("not_said", "Connected."), ("not_said", "Hả?"), ("empty", ""), ("after_last_reply", "Rồi."),
    ]  # fmt: skip


def test_another_bot_is_somebody_else(imported):
    group = [mes("Minh", "Ai thắng?", True), mes("Tanjiro", "Tớ chịu."), mes("Inosuke", "Ta!")]
    assert [turns(s) for s in imported("a.jsonl", lines(*group)).samples] == [
        [("Minh", "Ai thắng?"), ("Tanjiro", "Tớ chịu."), ("*", "Ta!")]
    ]
    alone = imported("a.jsonl", lines(mes("Minh", "Ai?", True), mes("Tanjiro", "Tớ.")))
    assert alone.samples == () and [r for r, _ in rejections(alone)] == ["ends_with_user"]
    like = imported("a.jsonl", lines(mes("Minh", "Ai?", True), mes("Inosuke-kun", "Tớ."), mes("Inosuke", "Ta!")))
    assert "similar_name" in [f.code for f in like.samples[0].flags]


def test_a_person_may_play_the_character(imported):
    found = imported("a.jsonl", lines(mes("Tanjiro", "Ai?"), mes("Inosuke", "Ta!", True)))
    assert [turns(s) for s in found.samples] == [[("Tanjiro", "Ai?"), ("*", "Ta!")]]


def test_a_long_chat_is_cut_and_keeps_every_reply_once(imported, persona):
    rows = [r for n in range(40) for r in (mes("Minh", f"Hỏi {n}?", True), mes("Inosuke", f"Đáp {n}!"))]
    found = imported("a.jsonl", lines(*rows))
    assert [r for s in found.samples for r in s.replies] == [f"Đáp {n}!" for n in range(40)]
    assert max(len(s.messages) for s in found.samples) <= persona.scenes.max_turns + 1
    assert len({s.source.locator for s in found.samples}) == len(found.samples)
    assert {s.source.locator.partition(" · ")[0] for s in found.samples} == {"chat"}, "one side of the split"


@pytest.mark.parametrize(
    "value",
    [
        CHARACTER_AI,
        CHARACTER_AI["histories"],
        {"info": {}, "histories": CHARACTER_AI["histories"]["histories"]},
        [{"chat_id": "x", "turns": [
            {"author": {"name": "Inosuke"}, "candidates": [{"candidate_id": "1", "raw_content": "Ai đó?"}]},
            {"author": {"name": "user", "is_human": True}, "candidates": [{"raw_content": "Tớ."}]},
            {"author": {"name": "Inosuke"}, "primary_candidate_id": "3", "candidates": [
                {"candidate_id": "2", "raw_content": "Sao?"}, {"candidate_id": "3", "raw_content": "Hừ!"}]}]}],
    ],
)  # fmt: skip
def test_character_ai(imported, value):
    found = imported("a.json", json.dumps(value))
    assert [[t for _, t in turns(s)] for s in found.samples] == [[t for _, t in CHAT]]
    assert {r for r, _ in rejections(found)} <= {"other_version"}


def test_each_history_is_a_chat_of_its_own(imported):
    history = CHARACTER_AI["histories"]["histories"][0]
    found = imported("a.json", json.dumps({"histories": {"histories": [history, history]}}))
    assert [s.source.locator for s in found.samples] == ["chat 1", "chat 2"]


def test_our_own_page_shows_one_path_through_its_tree(imported):
    found = imported("a.json", json.dumps(CHAT_PAGE))
    assert [turns(s) for s in found.samples] == [[("?", "Ai đó?"), ("*", "Ta!")]]
    assert rejections(found) == [("other_version", "Tôi ạ.")]
    assert [f.code for f in found.samples[0].flags] == ["feedback_up", "written_by_model"]


def test_our_own_page_a_better_answer_replaces_the_reply(imported):
    chat = CHAT_PAGE["conversations"][0]
    nodes = [*chat["nodes"][:2], chat["nodes"][2] | {"better": "Là ta, Inosuke!"}]
    found = imported("a.json", json.dumps(chat | {"nodes": nodes}))
    assert found.samples[0].replies == ("Là ta, Inosuke!",)
    assert "feedback_better" in [f.code for f in found.samples[0].flags]


def test_our_own_page_first_version(imported):
    messages = [{"role": "user", "content": "Ai?"}, {"role": "assistant", "content": "Ta!"}]
    value = {"format": "inosuke-chat", "version": 1, "conversations": [{"id": "x", "messages": messages}]}
    found = imported("a.json", json.dumps(value))
    assert [turns(s) for s in found.samples] == [[("?", "Ai?"), ("*", "Ta!")]]


def test_a_tree_that_leads_back_ends(imported):
    nodes = [{"id": "a", "parent": None, "role": "user", "content": "Ai?"},
             {"id": "a", "parent": "a", "role": "assistant", "content": "Ta!"}]  # fmt: skip
    value = {"format": "inosuke-chat", "version": 2, "conversations": [{"nodes": nodes, "chosen": {"a": "a"}}]}
    assert imported("a.json", json.dumps(value)).samples[0].replies == ("Ta!",)


@pytest.mark.parametrize("value", [DISCORD, TELEGRAM, {"chats": {"list": [TELEGRAM]}}])
def test_chats_of_people_are_lines(imported, value):
    found = imported("a.json", json.dumps(value))
    assert said(found) == [("Tanjiro", "Đi nào!"), ("Inosuke", "Ta đi trước!")]
    assert {r for r, _ in rejections(found)} <= {"not_said", "empty"}


def test_discord_notices_pauses_and_mentions(imported, persona):
    def message(n, who, text, at="10:00:00", **more):
        stamp = f"2024-01-01T{at}+00:00"
        return {"id": str(n), "timestamp": stamp, "author": {"name": who}, "content": text} | more

    value = {
        "messages": [
            message(1, "Tanjiro", "Pinned a message.", type="ChannelPinnedMessage"),
            message(2, "Tanjiro", "Này <@7>!", type="Default", mentions=[{"id": "7", "name": "Inosuke"}]),
            message(3, "Inosuke", "Hả, gọi gì ta?", "10:02:00", type="Reply"),
            message(4, "Tanjiro", "Dậy chưa?", "15:00:00"),
            message(5, "Inosuke", "Ta dậy từ lâu rồi!", "15:01:00"),
        ]
    }
    found = imported("a.json", json.dumps(value))
    assert said(found)[0] == ("Tanjiro", "Này @Inosuke!")
    assert rejections(found) == [("not_said", "Pinned a message.")]
    samples, _ = to_samples([found], persona)
    assert [len(s.messages) for s in samples] == [2, 2], "five hours apart is another talk"


def test_messenger_is_turned_round_and_its_letters_are_repaired(imported):
    def wrong(text):
        return text.encode().decode("latin-1")

    messages = [
        {"sender_name": "Inosuke", "timestamp_ms": 2000, "content": wrong("Trên mái nhà, đồ ngốc!")},
        {"sender_name": "Tanjiro", "timestamp_ms": 1000, "content": wrong("Ở đâu vậy?")},
    ]
    found = imported("a.json", json.dumps({"participants": [], "messages": messages}))
    assert said(found) == [("Tanjiro", "Ở đâu vậy?"), ("Inosuke", "Trên mái nhà, đồ ngốc!")]


EXAMPLES = "<START>\n{{user}}: Ai?\n{{char}}: Ta!\nNhanh lên!\n<START>\n{{user}}: Đói?\nInosuke: Đói!"


@pytest.mark.parametrize(
    "value",
    [
        {"name": "Inosuke", "first_mes": "Hả?", "mes_example": EXAMPLES},
        {"spec": "chara_card_v2", "data": {"name": "Inosuke", "mes_example": EXAMPLES}},
        {"spec": "chara_card_v3", "data": {"name": "伊之助", "mes_example": EXAMPLES.replace("Inosuke", "伊之助")}},
        {"char_name": "Inosuke", "mes_example": EXAMPLES.replace("\n", "\n\n", 1)},
    ],
)
def test_cards(imported, value):
    found = imported("a.json", json.dumps(value))
    greetings = [[("?", "Nói một câu đậm chất Inosuke (ngắn)."), ("*", "Hả?")]] if "first_mes" in value else []
    assert [turns(s) for s in found.samples] == [
        [("?", "Ai?"), ("*", "Ta!\nNhanh lên!")],
        [("?", "Đói?"), ("*", "Đói!")],
        *greetings,
    ]
    assert rejections(found) == []


def test_the_card_of_another_character_gives_no_reply(imported):
    found = imported("a.json", json.dumps(CARD | {"data": CARD["data"] | {"name": "Zenitsu"}}))
    assert found.samples == ()
    assert ("other_character", CARD["data"]["first_mes"]) in rejections(found)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"entries": {"0": {"key": ["x"], "comment": "y"}}}, "world book"),
        ({"name": "x", "version": "1.0", "dependencies": {}}, "package.json"),
        ({"cells": [], "nbformat": 4}, "notebook"),
        ({"foo": 1, "bar": [1, 2]}, "`foo`, `bar`"),
        ([{"foo": 1}, {"foo": 2}], "2 rows"),
    ],
)
def test_an_unknown_json_is_named_for_what_it_looks_like(imported, value, name):
    with pytest.raises(InosukeError, match=name) as error:
        imported("a.json", json.dumps(value))
    assert "[[columns]]" in str(error.value)
