"""Samples become rows of both configurations, and rows survive their files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from curation.contracts.manifest import Manifest
from curation.export import exported_rows
from curation.export.exported_rows import ExportInput, Rows
from curation.persona import Persona
from curation.record import Flag
from curation.review.decisions import State
from tests.tools.exports import PERSONA_FILE, PROMPT, SAMPLES

KITE, RAIN, QUOTE, _ = SAMPLES


@pytest.fixture
def rows(persona: Persona) -> Rows:
    return exported_rows.from_samples(
        ExportInput(
            samples=[replace(KITE, flags=(Flag("over_length", "x"),)), RAIN, QUOTE],
            side={KITE.id: "train", QUOTE.id: "eval"},
            states={KITE.id: State(status="approved", revision=2, reviewers=("an", "bình"))},
            held_out=[PROMPT],
            persona=persona,
            persona_file=PERSONA_FILE,
            facts=Manifest(version="", files={}),
            group={KITE.id: "0" * 16},
        )
    )


def test_each_sample_with_a_side_is_a_row_of_both_configurations(rows: Rows, persona: Persona) -> None:
    about = {
        "system": persona.system_prompt_in("vi"),
        "group": "0" * 16,
        "kind": "conversation",
        "language": "vi",
        "topic": None,
        "flags": ["over_length"],
        "revision": 2,
        "reviewers": 2,
        "source": "datasets/sources/handwritten/conversations.vi.jsonl",
        "source_sha256": "ab" * 32,
        "locator": "row 2",
        "importer": "rows",
        "rights": "own",
    }
    reply = "Cây nào? Ta leo! Cành cao nhất để ta bẻ cho gió nó sợ!"
    messages = [
        {"role": "user", "content": "Cái diều mắc trên cây rồi.", "name": "Bạn"},
        {"role": "assistant", "content": reply, "name": None},
    ]
    assert rows.chat["train"] == [{"id": KITE.id, "messages": messages, **about}]
    texts = {"turn": 1, "instruction": "Cái diều mắc trên cây rồi.", "input": "", "output": reply, "history": []}
    assert rows.instruct["train"] == [{"id": KITE.id, **texts, **about}]
    assert [[row["id"] for row in side["eval"]] for side in rows.configurations.values()] == [[QUOTE.id], [QUOTE.id]]
    assert [row["id"] for row in rows.samples] == [KITE.id, QUOTE.id], "RAIN has no side"
    assert rows.chat["eval"][0]["group"] == QUOTE.id, "a sample that is near no other is a group of its own"


def test_rows_come_back_from_their_files(rows: Rows, tmp_path: Path) -> None:
    exported_rows.write(rows, tmp_path)
    assert exported_rows.read(tmp_path) == rows


def test_an_empty_side_comes_back_empty(tmp_path: Path) -> None:
    empty = Rows(chat={"train": [], "eval": []}, instruct={"train": [], "eval": []}, held_out=[])
    exported_rows.write(empty, tmp_path)
    assert exported_rows.read(tmp_path) == empty
