"""A build is skipped only while every input and every output is as the last build left it."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.folders import Folders
from curation.newest import set_latest
from curation.persona import Corpus
from curation.pipeline import changes
from curation.pipeline.report import Report
from curation.pipeline.sources import SourcePath


@pytest.fixture
def built(tmp_path: Path) -> tuple[Folders, Report]:
    """The outputs of a build, its log and its stamp."""
    folders = Folders(tmp_path)
    version = folders.export / "0123456789ab"
    for path in (folders.queue, folders.quarantine, folders.log, folders.split, version / "chat" / "train.parquet"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name, encoding="utf-8")
    set_latest(folders.export, version.name)
    report = Report(imported={"quote": 2}, approved=2, version=version.name, path=str(version), errors=["a"])
    changes.save(folders, "inputs", report)
    return folders, report


def test_the_last_report_comes_back_while_nothing_has_changed(built: tuple[Folders, Report]) -> None:
    folders, report = built
    assert changes.unchanged(folders, "inputs") == report


def test_other_inputs_are_a_change(built: tuple[Folders, Report]) -> None:
    assert changes.unchanged(built[0], "other inputs") is None


@pytest.mark.parametrize(
    "name",
    [
        "decisions.jsonl",
        "split.jsonl",
        "build/samples.parquet",
        "quarantine/rejected.jsonl",
        "export/latest",
        "export/0123456789ab/chat/train.parquet",
    ],
)
def test_a_changed_or_missing_file_is_a_change(name: str, built: tuple[Folders, Report]) -> None:
    folders, report = built
    path = folders.datasets / name
    before = path.read_bytes()
    path.write_bytes(before + b"edited")
    assert changes.unchanged(folders, "inputs") is None
    path.write_bytes(before)
    assert changes.unchanged(folders, "inputs") == report
    path.unlink()
    assert changes.unchanged(folders, "inputs") is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"inputs": "x"}', '{"inputs": "x", "outputs": {}, "report": 1}'])
def test_a_damaged_stamp_is_a_change(content: str, built: tuple[Folders, Report]) -> None:
    built[0].stamp.write_text(content, encoding="utf-8")
    assert changes.unchanged(built[0], "inputs") is None


def test_sources_persona_and_options_count_as_inputs(tmp_path: Path) -> None:
    persona, line = tmp_path / "persona.toml", tmp_path / "a.txt"
    persona.write_text("", encoding="utf-8")
    line.write_text("Ta!", encoding="utf-8")

    def hashed(name: str = "a.txt", auto_near: bool = False) -> str:
        source = SourcePath(path=line, name=name, folder="lines", about=Corpus())
        return changes.inputs([source], persona, auto_near)

    first = hashed()
    assert hashed() == first
    assert hashed(name="b.txt") != first and hashed(auto_near=True) != first
    line.write_text("Ta đây!", encoding="utf-8")
    second = hashed()
    persona.write_text("# a comment", encoding="utf-8")
    third = hashed()
    line.unlink()
    assert len({first, second, third, hashed()}) == 4
