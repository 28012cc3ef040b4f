"""Reading held-out prompts: both forms of a row, and rows that are not a prompt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.importers.source.source_file import load
from curation.persona import Persona
from curation.record import Rejected
from curation.split.held_out import HeldOutSample, read_held_out_file


def read(tmp_path: Path, persona: Persona, *rows: object) -> tuple[list[HeldOutSample], list[Rejected]]:
    path = tmp_path / "prompts.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return read_held_out_file(load(path, name="eval/prompts.jsonl", rights="own"), persona)


def test_a_row_of_messages_comes_back_as_the_row_of_the_export(tmp_path: Path, persona: Persona) -> None:
    row = {
        "id": "food-1",
        "tests": "food",
        "messages": [{"role": "user", "content": "Đói chưa?", "name": "Bạn"}],
        "reference": "Đói!",
    }
    (prompt,), rejected = read(tmp_path, persona, row)
    assert rejected == []
    assert prompt.to_row() == row | {"source": "eval/prompts.jsonl", "rights": "own"}
    assert prompt.sample.source.locator == "row 1"


def test_an_alpaca_row_is_a_prompt_named_after_its_sample(tmp_path: Path, persona: Persona) -> None:
    (prompt,), rejected = read(tmp_path, persona, {"instruction": "Bạn: Chào!", "input": "", "output": "Hả?"})
    assert rejected == []
    row = prompt.to_row()
    assert (row["id"], row["tests"], row["reference"]) == (prompt.sample.id, None, "Hả?")
    assert [(m["role"], m["content"]) for m in row["messages"]] == [("user", "Chào!")]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"messages": [], "reference": "x"}, "`messages` must end with a user turn"),
        ({"messages": [{"role": "assistant", "content": "x"}], "reference": "x"}, "must end with a user turn"),
        ({"messages": [{"role": "user", "content": "x"}]}, "must be a text that is not empty"),
        ({"messages": [{"role": "user", "content": " "}], "reference": "x"}, "must be a text that is not empty"),
        ({"messages": [1], "reference": "x"}, "must be a list of"),
        ({"instruction": "x"}, ""),
    ],
)
def test_a_row_that_is_not_a_prompt_is_rejected_with_the_reason(
    row: object, why: str, tmp_path: Path, persona: Persona
) -> None:
    found, (rejected,) = read(tmp_path, persona, row)
    assert found == []
    assert (rejected.reason, rejected.source.locator) == ("bad_held_out", "row 1")
    assert why in rejected.detail and rejected.detail
