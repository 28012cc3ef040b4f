"""The many ways in which rows write one dialogue: each gives the same turns, or a reason."""

import json

import pytest

from tests.curation.importers.looks import rejections, turns

ASK, REPLY = "Ai?", "Ta!"
PLAIN = [("?", ASK), ("*", REPLY)]
NAMED = [("Tanjiro", ASK), ("*", REPLY)]


def pair(who, said, roles=("user", "assistant")):
    return [{who: roles[0], said: ASK}, {who: roles[1], said: REPLY}]


def read(imported, *rows):
    return imported("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # ShareGPT and its relatives: the name of the list, of the speaker, of the words
        *(({key: pair(who, said, roles)}, PLAIN)
          for key in ("conversations", "messages", "conversation", "dialogue", "dialog", "turns", "chat")
          for who, said, roles in (("from", "value", ("human", "gpt")), ("role", "content", ("user", "assistant")))),
        ({"conversations": pair("from", "value", ("user", "assistant"))}, PLAIN),
        ({"conversations": pair("from", "value", ("User", "Bot"))}, PLAIN),
        ({"conversation": pair("role", "text")}, PLAIN),
        ({"messages": pair("speaker", "text", ("Tanjiro", "Inosuke"))}, NAMED),
        ({"dialogue": pair("role", "text", ("Tanjiro", "Inosuke"))}, NAMED),
        ({"dialogue": pair("speaker", "utterance", ("Tanjiro", "伊之助"))}, NAMED),
        ({"dialog": pair("author", "message", ("Tanjiro", "hashibira"))}, NAMED),
        ({"dialog": ["Tanjiro: Ai?", "Inosuke: Ta!"]}, NAMED),
        ({"dialogue": ["Tanjiro：Ai?", "伊之助：Ta!"]}, NAMED),
        ({"conversation": [{"human": ASK, "assistant": REPLY}]}, PLAIN),
        ({"conversation": [{"user": ASK}, {"assistant": REPLY}]}, PLAIN),
        ({"conversations": [["user", ASK], ["assistant", REPLY]]}, PLAIN),
        ({"items": pair("from", "value", ("human", "gpt"))}, PLAIN),
        ({"conversations": json.dumps(pair("from", "value", ("human", "gpt")))}, PLAIN),
        (pair("role", "content"), PLAIN),
        # PIPPA
        ({"bot_name": "Inosuke", "conversation": [{"message": ASK, "is_human": True},
                                                  {"message": REPLY, "is_human": False}]}, PLAIN),
        # content in parts
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "i?"}]},
                       {"role": "assistant", "content": [{"type": "text", "text": REPLY}]}]},
         [("?", "A\ni?"), ("*", REPLY)]),
        ({"messages": [{"role": "user", "content": [{"type": "input_text", "text": ASK}]},
                       {"role": "assistant", "content": [{"type": "output_text", "text": REPLY}]}]}, PLAIN),
        ({"messages": [{"role": "user", "content": [ASK]}, {"role": "assistant", "content": {"text": REPLY}}]}, PLAIN),
        # prompt and reply under many names
        *(({a: ASK, b: REPLY}, PLAIN) for a, b in (
            ("prompt", "response"), ("Question", "Answer"), ("query", "reply"), ("user", "assistant"),
            ("input", "response"),
            ("human", "bot"), ("question", "response"), ("instruction", "response"), ("prompt", "completion"),
            ("prompt", "output"), ("context", "response"), ("Câu hỏi", "Trả lời"), ("q", "a"))),
        ({"prompt": [{"role": "user", "content": ASK}], "completion": [{"role": "assistant", "content": REPLY}]},
         PLAIN),
        # KTO: a reply that was judged to be good
        ({"prompt": ASK, "completion": REPLY, "label": True}, PLAIN),
        # preference pairs
        ({"prompt": ASK, "chosen": REPLY, "rejected": "Tôi ạ."}, PLAIN),
        ({"question": ASK, "chosen": REPLY, "rejected": "Tôi ạ."}, PLAIN),
        ({"prompt": ASK, "chosen": pair("role", "content"), "rejected": pair("role", "content")}, PLAIN),
        ({"chosen": pair("role", "content"), "rejected": pair("role", "content")}, PLAIN),
        ({"prompt": [{"role": "user", "content": ASK}], "chosen": [{"role": "assistant", "content": REPLY}],
          "rejected": [{"role": "assistant", "content": "Tôi ạ."}]}, PLAIN),
        ({"conversations": [{"from": "human", "value": ASK}], "chosen": {"from": "gpt", "value": REPLY},
          "rejected": {"from": "gpt", "value": "Tôi ạ."}}, PLAIN),
        ({"chosen": "\n\nHuman: Ai?\n\nAssistant: Ta!", "rejected": "\n\nHuman: Ai?\n\nAssistant: Tôi."}, PLAIN),
        # a whole dialogue in one text
        *(({"text": text}, PLAIN) for text in (
            "### Human: Ai?### Assistant: Ta!", "### Human: Ai?\n### Assistant: Ta!\n",
            "### User:\nAi?\n\n### Assistant:\nTa!", "<s>[INST] Ai? [/INST] Ta! </s>",
            "<|im_start|>user\nAi?<|im_end|>\n<|im_start|>assistant\nTa!<|im_end|>\n",
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nAi?<|eot_id|><|start_header_id|>assistant"
            "<|end_header_id|>\n\nTa!<|eot_id|>",
            "<bos><start_of_turn>user\nAi?<end_of_turn>\n<start_of_turn>model\nTa!<end_of_turn>\n",
            "<|user|>\nAi?</s>\n<|assistant|>\nTa!</s>", "<|prompter|>Ai?<|endoftext|><|assistant|>Ta!<|endoftext|>",
            "\n\nHuman: Ai?\n\nAssistant: Ta!", "USER: Ai? ASSISTANT: Ta!</s>",
            "Below is an instruction that describes a task.\n\n### Instruction:\nAi?\n\n### Response:\nTa!")),
        ({"prompt": "### Human: Ai?### Assistant: Ta!"}, PLAIN),
        ({"text": "<|im_start|>user Ai?<|im_end|><|im_start|>assistant Ta!<|im_end|>"}, PLAIN),
        ({"text": "<|im_start|>Tanjiro\nAi?<|im_end|>\n<|im_start|>Inosuke\nTa!<|im_end|>"}, NAMED),
        ({"prompt": "Bạn: Ai?", "chosen": REPLY, "rejected": "Tôi."}, [("Bạn", ASK), ("*", REPLY)]),
        ({"instruction": "A", "input": "i?", "chosen": REPLY, "rejected": "Tôi."}, [("?", "A\n\ni?"), ("*", REPLY)]),
    ],
)  # fmt: skip
def test_one_dialogue(imported, row, expected):
    (sample,) = read(imported, row).samples
    assert turns(sample) == expected


def test_a_system_prompt_stays_in_front(imported):
    system = "Ngươi là Inosuke."
    rows = [
        {"system": system, "conversations": pair("from", "value", ("human", "gpt"))},
        {"messages": [{"role": "system", "content": system}, *pair("role", "content")]},
        {"instruction": ASK, "input": "", "output": REPLY, "system": system},
        {"text": f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\nAi?<|im_end|>\n<|im_start|>bot\nTa!"},
        {"text": f"[INST] <<SYS>>\n{system}\n<</SYS>>\n\nAi? [/INST] Ta!"},
        {"system": system, "question": ASK, "chosen": REPLY, "rejected": "Tôi."},
    ]
    for sample in read(imported, *rows).samples:
        assert [(m.role, m.content) for m in sample.messages] == [
            ("system", system), ("user", ASK), ("assistant", REPLY),
        ]  # fmt: skip


@pytest.mark.parametrize(
    "history",
    [[["A?", "B!"]], '[["A?", "B!"]]', [{"role": "user", "content": "A?"}, {"role": "assistant", "content": "B!"}]],
)
@pytest.mark.parametrize("columns", [("instruction", "output"), ("instruction", "response"), ("query", "response")])
def test_history_comes_before_the_last_exchange(imported, history, columns):
    row = dict(zip(columns, (ASK, REPLY), strict=True)) | {"history": history}
    row |= {"input": ""} if columns[1] == "output" else {}
    assert turns(read(imported, row).samples[0]) == [("?", "A?"), ("*", "B!"), *PLAIN]


def test_an_empty_history_changes_nothing(imported):
    row = {"instruction": ASK, "input": "", "output": REPLY, "history": [], "system": ""}
    assert turns(read(imported, row).samples[0]) == PLAIN


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompt": ASK, "completion": REPLY, "label": False}, "rejected_by_annotator"),
        ({"messages": [*pair("role", "content"), {"role": "tool", "content": "x"},
                       {"role": "assistant", "content": "y"}]},
         "unknown_role"),
        ({"conversations": [{"from": "human", "value": "x"}, {"from": "function_call", "value": "{}"},
                            {"from": "observation", "value": "1"}, {"from": "gpt", "value": "y"}]}, "unknown_role"),
        ({"dialog": ["Hi there", "Hello"]}, "unknown_role"),
        ({"chosen": REPLY, "rejected": "x"}, "no_prompt"),
        ({"bot_name": "Naruto", "conversation": [{"message": ASK, "is_human": True},
                                                 {"message": REPLY, "is_human": False}]}, "ends_with_user"),
        ({"messages": [{"role": "user", "content": ASK}, {"role": "assistant", "name": "Naruto", "content": REPLY}]},
         "ends_with_user"),
    ],
)  # fmt: skip
def test_what_is_no_dialogue_of_the_character_has_a_reason(imported, row, reason):
    found = read(imported, row)
    assert (found.samples, [r for r, _ in rejections(found)]) == ((), [reason])


def test_the_rejected_answer_is_in_no_sample_but_has_a_reason(imported):
    found = read(imported, {"prompt": ASK, "chosen": REPLY, "rejected": "Tôi ạ."})
    assert rejections(found) == [("other_version", "Tôi ạ.")]


@pytest.mark.parametrize("more", [1, 2])
def test_a_dialogue_that_ends_with_the_user_loses_only_that(imported, more):
    last = [{"from": "human", "value": "Đợi!"}] * more
    found = read(imported, {"conversations": [*pair("from", "value", ("human", "gpt")), *last]})
    assert [turns(s) for s in found.samples] == [PLAIN]
    assert rejections(found) == [("ends_with_user", "\n".join(["Đợi!"] * more))]


def test_a_picture_beside_the_words_is_flagged(imported):
    content = [{"type": "text", "text": ASK}, {"type": "image_url", "image_url": {"url": "x"}}]
    row = {"messages": [{"role": "user", "content": content}, {"role": "assistant", "content": REPLY}]}
    (sample,) = read(imported, row).samples
    assert (turns(sample), [f.code for f in sample.flags]) == (PLAIN, ["missing_attachment"])


@pytest.mark.parametrize("name", ["Inosuke-kun", "Young Inosuke", "Inôsuke", "Inosuke's mother"])
def test_names_close_to_the_characters_are_flagged(imported, name):
    row = {"conversations": [*pair("from", "value", ("Tanjiro", "Inosuke")), {"from": name, "value": "Hả?"},
                             {"from": "Inosuke", "value": "Ha!"}]}  # fmt: skip
    assert "similar_name" in [f.code for f in read(imported, row).samples[0].flags]


ROW = {"instruction": ASK, "input": "", "output": REPLY}


@pytest.mark.parametrize(
    "value",
    [
        {"rows": [{"row_idx": 0, "row": ROW, "truncated_cells": []}], "features": [{"name": "x"}], "num_rows_total": 1},
        {"data": [ROW]}, {"data": {"train": [ROW]}}, {"train": [ROW]}, {"train": [], "test": [ROW]},
        {"version": 1, "meta": {"author": "x"}, "examples": [ROW]}, {"my own name": [ROW]}, {"1": ROW, "2": ROW},
        {"data": [ROW], "tags": [{"id": 1}, {"id": 2}]}, ROW, [ROW], {"result": {"items": [ROW]}},
        {"columns": list(ROW), "data": [list(ROW.values())]}, {k: {"0": v} for k, v in ROW.items()},
        {k: [v] for k, v in ROW.items()},
    ],
)  # fmt: skip
def test_rows_that_lie_deeper(imported, value):
    assert {tuple(turns(s)) for s in imported("a.json", json.dumps(value)).samples} == {tuple(PLAIN)}


def test_splits_of_one_file_are_all_read(imported):
    found = imported("a.json", json.dumps({"train": [ROW, ROW], "test": [ROW]}))
    assert [s.source.locator for s in found.samples] == ["row 1", "row 2", "row 3"]


def test_letters_that_json_escapes_are_repaired(imported):
    row = {
        "messages": [
            {"role": "user", "content": "á»ž Ä‘Ã¢u váº\xady?"},
            {"role": "assistant", "content": "TrÃªn mÃ¡i!"},
        ]
    }
    (sample,) = imported("a.json", json.dumps([row])).samples  # \u escapes: the file itself is ASCII
    assert turns(sample) == [("?", "Ở đâu vậy?"), ("*", "Trên mái!")]


def test_one_object_a_line_under_the_suffix_of_json_and_the_other_way_round(imported):
    lines = "".join(json.dumps(ROW) + "\n" for _ in range(3))
    assert [s.source.locator for s in imported("a.json", lines).samples] == ["row 1", "row 2", "row 3"]
    assert len(imported("a.jsonl", json.dumps([ROW, ROW], indent=1)).samples) == 2
    chat = [{"name": "You", "is_user": True, "mes": ASK}, {"name": "Inosuke", "is_user": False, "mes": REPLY}]
    assert imported("a.json", "".join(json.dumps(m) + "\n" for m in chat)).format == "chat (SillyTavern)"
