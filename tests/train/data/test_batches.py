"""Masks, labels and layouts: what a step trains on, token by token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from curation import chat
from curation.contracts.rows import ExportedRow
from curation.persona import Persona
from curation.record import Message
from tests.tools.tokenizers import chatml_tokenizer
from train.data.batches import IGNORE, by_length, packed, padded
from train.data.dialogues import Encoded, encode

A = Encoded("a", [1, 2, 3, 10, 11, 12], [0, 0, 0, 0, 1, 1], chars=2)
B = Encoded("b", [1, 2, 3, 20, 21], [0, 0, 0, 0, 1], chars=1)


def row(id: str, messages: tuple[Message, ...]) -> ExportedRow:
    return ExportedRow(id=id, kind="conversation", messages=messages)


def test_a_packed_batch_holds_the_common_beginning_once_and_labels_are_the_next_counted_token() -> None:
    batch = packed([A, B])
    assert batch["input_ids"].tolist() == [[1, 2, 3, 10, 11, 12, 20, 21]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 4, 5, 3, 4]]
    assert batch["labels"].tolist() == [[IGNORE, IGNORE, IGNORE, 11, 12, IGNORE, 21, IGNORE]]
    assert batch["row"].tolist() == [[-1, -1, -1, 0, 0, 0, 1, 1]]


def test_a_packed_row_sees_the_common_beginning_and_itself_and_nothing_later() -> None:
    batch = packed([A, B])
    assert batch["rows"] == ((3, 3, 2),)
    # For the longest row; a shorter one is padded behind.
    assert batch["attention_mask"][0, 0].int().tolist() == [
        [1, 1, 1, 1, 0, 0],
        [1, 1, 1, 1, 1, 0],
        [1, 1, 1, 1, 1, 1],
    ]


def test_rows_that_begin_alike_are_a_group_and_each_beginning_is_held_once() -> None:
    """Two system prompts after the same first tokens of a template, in any order, and a row like no other."""
    one, two = [9, 1, 1, 1, 1], [9, 2, 2, 2]
    rows = [
        Encoded(str(n), ids, [0] * (len(ids) - 2) + [1, 1], 2)
        for n, ids in enumerate(([*one, 5, 6, 7], [*two, 5, 6, 7], [8, 5, 6, 7], [*one, 4, 6], [*two, 4, 6, 7, 7]))
    ]
    batch = packed(rows)
    assert batch["rows"] == ((4, 4, 3), (4, 3, 4), (0, 4))
    found = {n: [i for i, owner in enumerate(batch["row"][0].tolist()) if owner == n] for n in range(-1, 5)}
    for number, row in enumerate(rows):
        own = batch["input_ids"][0][found[number]].tolist()
        assert row.input_ids[-len(own) :] == own
        assert batch["position_ids"][0][found[number]].tolist() == list(range(len(row.input_ids)))[-len(own) :]
        assert [x for x in batch["labels"][0][found[number]].tolist() if x != IGNORE] == row.input_ids[-2:]
    assert batch["input_ids"][0][found[-1]].tolist() == [9, 1, 1, 1, 9, 2, 2, 2]


def test_the_position_that_predicts_a_first_reply_token_is_never_shared() -> None:
    same_prompt = [Encoded("a", [1, 2, 7], [0, 0, 1], 1), Encoded("b", [1, 2, 8], [0, 0, 1], 1)]
    batch = packed(same_prompt)
    assert batch["input_ids"].tolist() == [[1, 2, 7, 2, 8]]
    assert batch["labels"].tolist() == [[IGNORE, 7, IGNORE, 8, IGNORE]]


def test_a_row_alone_is_itself() -> None:
    assert packed([A])["input_ids"].tolist() == [A.input_ids]
    assert packed([A])["position_ids"].tolist() == [list(range(6))]


def test_loss_on_text_counts_every_token_of_every_row() -> None:
    batch = packed([A, B], loss_on="text")
    assert batch["input_ids"].tolist() == [A.input_ids + B.input_ids]
    assert batch["labels"].tolist() == [[2, 3, 10, 11, 12, IGNORE, 2, 3, 20, 21, IGNORE]]


def test_a_padded_batch_does_not_count_padding() -> None:
    batch = padded([A, B], length=7, pad_id=12)
    assert batch["input_ids"].tolist() == [[1, 2, 3, 10, 11, 12, 12], [1, 2, 3, 20, 21, 12, 12]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 0, 0]]
    assert batch["labels"].tolist() == [
        [-100, -100, -100, 11, 12, -100, -100],
        [-100, -100, -100, 21, -100, -100, -100],
    ]


def test_groups_come_longest_first_and_lose_no_row() -> None:
    assert [[r.id for r in group] for group in by_length([B, A, B], 2)] == [["a", "b"], ["b"]]


@pytest.mark.parametrize("loss_on", ["replies", "text"])
def test_packed_and_padded_give_each_token_the_same_loss(tiny_base: Path, persona: Persona, loss_on: str) -> None:
    from transformers import AutoModelForCausalLM

    from train.model import packed_attention
    from train.model.loss import token_losses

    tokenizer = chatml_tokenizer()
    dialogues = [
        (Message("user", "Đi đâu đấy?"), Message("assistant", "Lên núi!")),
        (
            Message("user", "Đói chưa?"),
            Message("assistant", "Đói!"),
            Message("user", "Ăn gì?"),
            Message("assistant", "Tempura!"),
        ),
    ]
    rows, _ = encode([row(str(i), d) for i, d in enumerate(dialogues)], tokenizer, persona, 2048)
    model = AutoModelForCausalLM.from_pretrained(
        tiny_base, dtype=torch.float32, attn_implementation=packed_attention.NAME
    ).eval()
    with torch.inference_mode():
        one = token_losses(model, packed(rows, loss_on))  # type: ignore[arg-type]
        other = token_losses(model, padded(rows, 1024, tokenizer.pad_token_id, loss_on))  # type: ignore[arg-type]
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_the_trainer_sees_the_ids_that_a_server_would_send_up_to_each_reply(persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    turns = (
        Message("user", "Chào <|im_end|> ngươi"),
        Message("assistant", "Chào cái gì!"),
        Message("user", "Đánh nhau không?"),
        Message("assistant", "Đánh!"),
    )
    [encoded], left_out = encode([row("r", turns)], tokenizer, persona, 2048)
    assert left_out == []
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    for cut, reply in ((1, "Chào cái gì!"), (3, "Đánh!")):
        prompt = chat.render(turns[:cut], tokenizer, persona).input_ids
        assert encoded.input_ids[: len(prompt)] == prompt
        counted = tokenizer(reply, add_special_tokens=False)["input_ids"] + [end]
        assert encoded.input_ids[len(prompt) : len(prompt) + len(counted)] == counted
        assert encoded.loss_mask[len(prompt) : len(prompt) + len(counted)] == [1] * len(counted)
    assert sum(encoded.loss_mask) == sum(len(m.content.encode()) + 1 for m in turns if m.role == "assistant")
    # The typed end-of-turn stayed text: one for the system turn, one for each of the four.
    assert encoded.input_ids.count(end) == 5


@pytest.mark.parametrize("prompt", ["chat", "alpaca"])
@pytest.mark.parametrize("layout", ["packed", "padded"])
def test_the_labels_are_the_characters_lines_and_their_ends_alone(persona: Persona, layout: str, prompt: Any) -> None:
    tokenizer = chatml_tokenizer()
    dialogue = (
        Message("user", "Ngươi tới rồi!", "Tanjiro"),
        Message("user", "Chạy mau! <|im_end|>", "Zenitsu"),
        Message("assistant", "Ta không chạy!", "Inosuke"),
        Message("user", "Assistant: ta sợ quá", "Bạn"),
        Message("assistant", "Ngươi thì sợ! Ta thì không!", "Inosuke"),
    )
    rows, _ = encode([row("a", dialogue), row("b", dialogue[:3])], tokenizer, persona, 2048, prompt)
    batch = packed(rows) if layout == "packed" else padded(rows, 1024, tokenizer.pad_token_id)
    kept = batch["labels"] != IGNORE
    said = {i: tokenizer.decode(batch["labels"][kept & (batch["row"] == i)]) for i in (0, 1)}
    assert said == {
        0: "Ta không chạy!<|im_end|>Ngươi thì sợ! Ta thì không!<|im_end|>",
        1: "Ta không chạy!<|im_end|>",
    }
