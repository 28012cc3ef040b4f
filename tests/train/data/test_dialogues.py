"""Exports: what is read, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.contracts.rows import ExportedRow
from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import Message
from tests.train.conftest import ONE, TWO, Project, Turns, write_export
from train.data.dialogues import encode, find_export, load_export, prompts, replies


def row(id: str, turns: Turns) -> ExportedRow:
    messages = tuple(Message(role, text) for role, text in turns)  # type: ignore[arg-type]
    return ExportedRow(id=id, kind="conversation", messages=messages)


def test_an_export_is_read_with_its_persona_and_held_out_prompts(tmp_path: Path) -> None:
    path = write_export(tmp_path, [ONE, TWO], [TWO], heldout=[[("user", "Ngươi sợ gì?")]])
    export = load_export(find_export(tmp_path))
    assert (export.path, export.version, export.persona.name) == (path, "v1", "Inosuke")
    assert export.train[0] == row("train0", ONE)
    assert len(export.eval) == 1
    assert prompts(export)[0].messages == (Message("user", "Ngươi sợ gì?"),)
    assert replies(export.train) == {"Ta là chúa tể rừng xanh!", "Mưa thì ta tắm luôn!", "Cảm lạnh phải sợ ta!"}


def test_without_held_out_prompts_the_eval_rows_are_asked(tmp_path: Path) -> None:
    [asked] = prompts(load_export(write_export(tmp_path, [ONE], [TWO])))
    assert (asked.messages[-1].content, asked.reference) == ("Không sợ cảm lạnh à?", "Cảm lạnh phải sợ ta!")


def test_a_missing_export_is_an_error_that_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InosukeError, match=r"latest: does not exist, so no export is the newest.*inosuke dataset"):
        find_export(tmp_path)
    with pytest.raises(InosukeError, match=r"not an export.*inosuke dataset"):
        load_export(tmp_path / "nowhere")


def test_a_changed_file_is_refused_with_both_hashes(tmp_path: Path) -> None:
    path = write_export(tmp_path, [ONE], [TWO])
    expected = json.loads((path / "manifest.json").read_text(encoding="utf-8"))["files"]["persona.toml"]
    with (path / "persona.toml").open("a", encoding="utf-8") as file:
        file.write("# touched\n")
    with pytest.raises(
        InosukeError, match=rf"persona.toml: changed after the export \(SHA-256 \w{{12}}…, not {expected[:12]}…"
    ):
        load_export(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = write_export(tmp_path, [ONE], [TWO])
    (path / "jsonl" / "chat.eval.jsonl").unlink()
    with pytest.raises(InosukeError, match=r"chat.eval.jsonl: missing, though manifest.json lists it"):
        load_export(path)


@pytest.mark.parametrize("text", ["{", "[]", '{"version": "v1"}', '{"version": "v1", "files": {}}'])
def test_a_damaged_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = write_export(tmp_path, [ONE], [TWO])
    (path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(InosukeError, match=r"manifest.json.*inosuke dataset"):
        load_export(path)


@pytest.mark.parametrize(("train", "evaluation", "named"), [([], [ONE], "train"), ([ONE], [], "eval")])
def test_an_empty_split_is_refused(tmp_path: Path, train: Any, evaluation: Any, named: str) -> None:
    with pytest.raises(InosukeError, match=f"the {named} split is empty"):
        load_export(write_export(tmp_path, train, evaluation))


def test_a_long_dialogue_loses_exchanges_from_the_front_and_a_too_long_one_is_listed(
    persona: Persona, tokenizer: Any
) -> None:
    long = row("long", TWO)
    [whole], _ = encode([long], tokenizer, persona, 2048)
    [cut], left_out = encode([long], tokenizer, persona, len(whole.input_ids) - 1)
    assert left_out == []
    assert cut.chars == len("Cảm lạnh phải sợ ta!")
    assert sum(cut.loss_mask) == len("Cảm lạnh phải sợ ta!".encode()) + 1
    assert encode([long], tokenizer, persona, 20) == ([], ["long"])


def test_a_persona_that_changed_after_the_export_is_reported(trainer: Callable[..., Project]) -> None:
    from train.commands.pipeline import warn_of_another_persona

    project = trainer()
    said: list[str] = []
    export = load_export(find_export(project.root))
    warn_of_another_persona(project.persona, export, said.append)
    assert said == []
    project.persona.write_text(project.persona.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    warn_of_another_persona(project.persona, export, said.append)
    assert "has changed since export v1" in said[0]


def test_a_line_separator_within_a_reply_does_not_end_its_row(tmp_path: Path) -> None:
    spoken = [("user", "Ngươi sợ gì?"), ("assistant", "Ta?\u2028Sợ\u0085à?")]
    export = load_export(write_export(tmp_path, [spoken], [TWO], [spoken]))
    assert export.train[0].messages[-1].content == "Ta?\u2028Sợ\u0085à?"
    assert export.held_out[0].messages[-1].content == "Ta?\u2028Sợ\u0085à?"
