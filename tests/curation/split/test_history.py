"""``split.jsonl``: what it remembers, and the merge of two branches."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.errors import InosukeError
from curation.split.history import Memory, read_memory, remember


def test_sides_are_sorted_and_those_of_other_builds_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "split.jsonl"
    assert read_memory(path) == Memory()
    assert remember(path, Memory({"c": "eval", "b": "train", "a": "train"}))
    assert path.read_text(encoding="utf-8").splitlines() == [
        '{"id": "a", "side": "train"}',
        '{"id": "b", "side": "train"}',
        '{"id": "c", "side": "eval"}',
    ]
    assert not remember(path, read_memory(path)), "nothing new, nothing written"


@pytest.mark.parametrize("sides", [("train", "eval"), ("eval", "train")])
def test_a_sample_that_two_branches_put_on_different_sides_evaluates(sides: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "split.jsonl"
    path.write_text("".join(f'{{"id": "a", "side": "{side}"}}\n' for side in sides), encoding="utf-8")
    assert read_memory(path).sides == {"a": "eval"}


@pytest.mark.parametrize("line", ["<<<<<<< ours", "{}", '{"id": "a", "side": "test"}', "[]", ""])
def test_a_line_that_does_not_name_a_side_is_an_error(line: str, tmp_path: Path) -> None:
    path = tmp_path / "split.jsonl"
    path.write_text(f'{{"id": "a", "side": "eval"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(InosukeError, match=r"split\.jsonl: line 2 .* Fix the line"):
        read_memory(path)


def test_words_and_origins_come_back_and_files_without_them_stay_readable(tmp_path: Path) -> None:
    path = tmp_path / "split.jsonl"
    memory = Memory({"a": "train", "b": "eval"}, {"a": "digestAAbb", "c": "digestCC"}, {"b": "a", "a": "c"})
    remember(path, memory)
    assert path.read_text(encoding="utf-8").splitlines() == [
        '{"id": "a", "side": "train", "from": "c", "words": "digestAAbb"}',
        '{"id": "b", "side": "eval", "from": "a"}',
        '{"id": "c", "words": "digestCC"}',
    ]
    assert read_memory(path) == memory
    assert memory.lineage("b") == ["a", "c"]


def test_two_branches_that_edited_in_a_circle_do_not_loop() -> None:
    assert Memory(origins={"a": "b", "b": "a"}).lineage("a") == ["b", "a"]
