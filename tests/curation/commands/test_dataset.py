"""`inosuke dataset` from the command line: rows inside wrappers, counts that add up, and the next step."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from curation.commands.dataset import dataset
from tests.conftest import ROOT

A = {"instruction": "Hỏi: Ai húc đổ gốc cây?", "input": "", "output": "Ta! Gốc cây nào chắn đường ta đều húc!"}
B = {"instruction": "Hỏi: Ngươi ngủ ở đâu?", "input": "", "output": "Trên cành cao! Gió ru ta ngủ!"}
TURNS = {"messages": [{"role": "user", "content": "Đói chưa?"}, {"role": "assistant", "content": "Đói từ hôm qua!"}]}
PAIR = {"prompt": "Sông sâu không?", "response": "Sâu thì ta lặn!"}

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Write a corpus of one file and build it with `--corpus`, in a project of its own."""

    def build(content: Any, *options: str, name: str = "conversations.json", persona: str = "") -> Result:
        shutil.copy(ROOT / "persona.toml", tmp_path / "persona.toml")
        file = tmp_path / "mine" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        arguments = ["--corpus", str(file.parent), "--persona", str(tmp_path / "persona.toml"), *options]
        return CliRunner().invoke(dataset, arguments, catch_exceptions=False)

    return build


@pytest.mark.parametrize(
    ("content", "imported"),
    [
        pytest.param({"data": [A], "version": 1}, 1, id="data"),
        pytest.param({"rows": [A, B]}, 2, id="rows"),
        pytest.param({"train": [A]}, 1, id="train"),
        pytest.param({"train": [A], "test": [B], "info": {"rows": 2}}, 2, id="train-and-test"),
        pytest.param({"persona": [A], "quotes": [B]}, 2, id="two-lists-side-by-side"),
        pytest.param({"data": {"train": [A, B]}}, 2, id="two-deep"),
        pytest.param({"result": {"payload": {"rows": [A]}}}, 1, id="three-deep"),
        pytest.param({"data": {"1": A}}, 1, id="one-row-by-its-id"),
        pytest.param({"data": {"a": A, "b": B}}, 2, id="rows-by-their-ids"),
        pytest.param({"rows": [{"row_idx": 0, "row": A}]}, 1, id="each-row-wrapped"),
        pytest.param({"title": "lines", "text": "What I wrote.", "rows": [A, B]}, 2, id="beside-a-text"),
        pytest.param({"instruction": "How to use", "data": [A]}, 1, id="beside-a-key-of-rows"),
        pytest.param({"conversations": [A, B]}, 2, id="under-a-key-of-turns"),
        pytest.param({"conversations": [PAIR]}, 1, id="pairs-under-a-key-of-turns"),
        pytest.param({"messages": [A]}, 1, id="under-messages"),
        pytest.param({"data": [TURNS]}, 1, id="messages-in-data"),
        pytest.param([{"data": [A]}, {"data": [B]}], 2, id="a-list-of-wrappers"),
        pytest.param([[A], [B]], 2, id="a-list-of-lists"),
        pytest.param({"data": [[A, B]]}, 2, id="a-list-of-lists-in-data"),
        pytest.param(TURNS, 1, id="one-dialogue-is-not-a-wrapper"),
        pytest.param({**A, "history": [["Ngươi là ai?", "Ta là vua núi!"]]}, 1, id="history-is-not-rows"),
    ],
)
def test_rows_inside_a_wrapper_are_read(content: Any, imported: int, run: Run) -> None:
    for name, text in (("conversations.json", json.dumps(content, indent=1)), ("a.jsonl", json.dumps(content))):
        report = json.loads(run(text, "--json", name=name).stdout)
        Path(report["path"]).parents[2].joinpath("mine", name).unlink()
        assert sum(report["imported"].values()) == imported, name
        assert (report["rejected"], report["errors"]) == ({}, [])


def test_one_bad_row_inside_a_wrapper_does_not_cost_the_others(run: Run) -> None:
    report = json.loads(run({"data": [A, "a text", None, {"instruction": "Hỏi: Sao?"}, B]}, "--json").stdout)
    assert sum(report["imported"].values()) == 2
    assert report["rejected"] == {"not_a_row": 2, "no_output": 1}


def test_a_list_of_turns_is_one_dialogue(run: Run) -> None:
    report = json.loads(run([TURNS["messages"]], "--json").stdout)
    assert (sum(report["imported"].values()), report["multi_turn"]) == (1, 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"data": [{"foo": 1}]}, r"\(an object with the keys `foo`\), found under `data`\."),
        ({"data": {"train": [{"foo": 1}, {"foo": 2}]}}, r"\(2 rows with the keys `foo`\), found under `data.train`\."),
        ({"data": []}, r"`data` is an empty list"),
        ({"rows": ["a", "b"]}, r"`rows` is a list of 2 texts"),
    ],
)
def test_a_wrapper_without_rows_of_dialogue_names_what_it_holds(content: Any, words: str, run: Run) -> None:
    result = run(content, "--json")
    assert result.exit_code == 1
    (error,) = json.loads(result.stdout)["errors"]
    assert re.search(words, error), error
    assert "Next: make review" not in run(content).output


BLANK = {**A, "output": "  \u200b "}
BAD = [
    {**A, "output": ""},
    {"instruction": "", "input": "", "output": "Ta!"},
    {**A, "output": None},
    {"instruction": "Hỏi: c"},
    {**A, "output": ["x"]},
    {**A, "output": 5},
    "string",
    None,
]


@pytest.mark.parametrize(
    ("rows", "imported", "quarantined"),
    [
        pytest.param([*BAD, BLANK], 0, 9, id="nine-ways-of-being-bad"),
        pytest.param([BLANK], 0, 1, id="a-blank-reply"),
        pytest.param([{**A, "instruction": "Hỏi: \u200b\u2060"}], 0, 1, id="a-blank-prompt"),
        pytest.param([BLANK, {**B, "output": "\ufeff\u200d"}], 0, 2, id="two-blank-replies"),
        pytest.param([A, BLANK], 1, 1, id="one-sound-row"),
        pytest.param([A, *BAD, BLANK, B], 2, 9, id="two-sound-rows"),
        pytest.param([A, A, BLANK], 2, 1, id="the-same-row-twice"),
    ],
)
def test_a_row_is_imported_or_quarantined(rows: list[Any], imported: int, quarantined: int, run: Run) -> None:
    result = run(rows, "--json")
    report = json.loads(result.stdout)
    assert (sum(report["imported"].values()), sum(report["rejected"].values())) == (imported, quarantined)
    assert imported + quarantined == len(rows)
    assert result.exit_code == (0 if imported else 1)


def test_when_every_row_is_quarantined_the_next_step_is_to_read_why(run: Run) -> None:
    for _ in range(2):  # the second run finds nothing changed, and nothing better
        result = run([*BAD, BLANK])
        assert result.exit_code == 1
        assert "make review" not in result.output
        assert "Next: read the reasons in datasets/quarantine/rejected.jsonl, fix the rows" in result.output


def test_samples_that_wait_are_the_next_step(run: Run) -> None:
    result = run([{**A, "output": "Trên núi!\nTanjiro: Chào!\nInosuke: Hả?"}])
    assert result.exit_code == 0
    assert result.output.endswith("Nothing is approved yet, so nothing was exported.\nNext: make review\n")


def test_rows_that_are_all_near_held_out_prompts_are_not_called_unapproved(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "test_set.jsonl").write_text(json.dumps(A) + "\n", encoding="utf-8")
    result = run([A])
    assert result.exit_code == 0
    assert "What is approved cannot be exported (near held-out 1), so nothing was exported." in result.output
