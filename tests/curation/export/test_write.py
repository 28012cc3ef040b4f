"""Writing an export: its files, its rows, its manifest, and what happens to a folder changed by hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from curation.errors import InosukeError
from curation.export import exported_rows, manifest
from curation.persona import load_persona
from curation.record import Flag, Message
from curation.review.decisions import State
from tests.conftest import ROOT
from tests.tools.exports import PERSONA_FILE, SAMPLES, sample, write


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def load(folder: Path, config: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call `load_dataset` offline, so that only the folder can answer."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return datasets.load_dataset(str(folder), config, cache_dir=str(cache))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One export for all tests that only read it, because charts are slow to draw."""
    return write(tmp_path_factory.mktemp("written"))


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy of the export, for tests that damage it."""
    return Path(shutil.copytree(written, tmp_path / written.name))


def test_an_export_holds_rows_card_charts_and_a_manifest_of_every_file(written: Path) -> None:
    folder = written
    assert set(tree(folder)) == {
        *(f"{config}/{side}.parquet" for config in ("chat", "instruct") for side in ("train", "eval")),
        *(f"jsonl/{config}.{side}.jsonl" for config in ("chat", "instruct") for side in ("train", "eval")),
        *("heldout.jsonl", "persona.toml", "charts/composition.png", "charts/reply_length.png"),
        *("README.md", "manifest.json", "CITATION.cff", "croissant.json", "dataset_info.json"),
    }
    about = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(about["files"]) == set(tree(folder)) - {"manifest.json"}
    assert about["version"] == folder.name == (folder.parent / "latest").read_text(encoding="utf-8").strip()
    assert about["persona"]["name"] == "Inosuke"
    assert about["log"] == {"events": 4, "digest": "ab" * 8}
    assert about["configuration"] == {"dedup_threshold": 90.0, "eval_share": 0.1, "languages": ["vi", "en"]}
    assert set(about["libraries"]) >= {"datasets", "pyarrow"}
    assert about["counts"]["train"] == {
        "samples": 3,
        "multi_turn": 1,
        "rewritten": 0,
        "replies": 4,
        "mean_reply_chars": 33.8,
        "kind": {"conversation": 2, "quote": 1},
        "language": {"vi": 3},
        "rights": {"own": 3},
        "importer": {"rows": 3},
    }


def test_a_row_holds_where_it_came_from_and_how_it_was_reviewed(tmp_path: Path) -> None:
    line = sample(
        "Gió to quá!", "Gió mà to? Ta thổi lại!", flags=(Flag("over_length", "x"), Flag("alpaca_layout", "{}"))
    )
    rewritten = replace(line, messages=(line.messages[0], Message("assistant", "To bằng tiếng ta chưa?")))
    state = State(status="approved", revision=1, messages=rewritten.messages, reviewers=("an", "bình"))
    folder = write(tmp_path, [rewritten, SAMPLES[0]], {line.id: state})
    (row,) = pq.read_table(folder / "chat/train.parquet").to_pylist()
    assert row == {
        "id": line.id,
        "messages": [
            {"role": "user", "content": "Gió to quá!", "name": "Bạn"},
            {"role": "assistant", "content": "To bằng tiếng ta chưa?", "name": None},
        ],
        "system": load_persona(PERSONA_FILE).system_prompt_in("vi"),
        "group": line.id,
        "kind": "conversation",
        "language": "vi",
        "topic": None,
        "flags": ["over_length"],
        "revision": 1,
        "reviewers": 2,
        "source": "datasets/sources/handwritten/conversations.vi.jsonl",
        "source_sha256": "ab" * 32,
        "locator": "row 2",
        "importer": "rows",
        "rights": "own",
    }
    (alpaca,) = pq.read_table(folder / "instruct/train.parquet").to_pylist()
    keys = ("turn", "instruction", "input", "output", "history")
    assert [alpaca[k] for k in keys] == [1, "Gió to quá!", "", "To bằng tiếng ta chưa?", []]
    assert alpaca["system"] == row["system"]


@pytest.mark.parametrize(("config", "train"), [("chat", 3), ("instruct", 4)])
def test_load_dataset_reads_the_folder_with_typed_features(
    config: str, train: int, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load(written, config, tmp_path / "cache", monkeypatch)
    assert {side: len(loaded[side]) for side in loaded} == {"train": train, "eval": 1}
    assert loaded["train"].features == exported_rows.features(config)
    jsonl = (written / f"jsonl/{config}.train.jsonl").read_text(encoding="utf-8").splitlines()
    plain = [exported_rows._without_nulls(row) for row in exported_rows._typed_first(loaded["train"].to_list())]
    assert plain == [json.loads(line) for line in jsonl]


def test_one_approved_sample_leaves_a_side_empty_and_still_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "export", SAMPLES[:1])
    loaded = load(folder, "chat", tmp_path / "cache", monkeypatch)
    assert {side: len(loaded[side]) for side in loaded} == {"eval": 1}
    assert pq.read_table(folder / "chat/train.parquet").num_rows == 0


def test_nothing_approved_is_an_error_and_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InosukeError, match="make review"):
        write(tmp_path / "out", [])
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_same_inputs_give_the_same_bytes_in_another_process(written: Path, tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from tests.tools.exports import write; write(Path(sys.argv[1]))"
    environment = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", code, tmp_path / "b"], cwd=ROOT, env=environment, check=True)
    assert tree(written) == tree(tmp_path / "b" / written.name)


def test_an_existing_version_is_not_touched_and_one_changed_by_hand_is_backed_up(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "latest").write_text("", encoding="utf-8")
    before = (folder / "chat/train.parquet").stat().st_mtime_ns
    assert write(tmp_path) == folder
    assert (folder / "chat/train.parquet").stat().st_mtime_ns == before
    (folder / "README.md").write_text("mine", encoding="utf-8")
    assert write(tmp_path) == folder
    assert (tmp_path / f"{folder.name}.edited-1" / "README.md").read_text(encoding="utf-8") == "mine"
    assert manifest.check(folder).version == folder.name
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".partial")] == []


def test_another_line_or_another_figure_is_another_version(written: Path, tmp_path: Path) -> None:
    other_line, other_figure = write(tmp_path, SAMPLES[1:]), write(tmp_path, rejected={"empty_reply": 2})
    assert len({written.name, other_line.name, other_figure.name}) == 3


@pytest.mark.parametrize("name", ["chat/eval.parquet", "persona.toml", "README.md"])
def test_a_file_changed_by_hand_is_named(name: str, folder: Path) -> None:
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(InosukeError, match=rf"{name}: changed after the export .*inosuke dataset"):
        manifest.check(folder)
    (folder / name).unlink()
    with pytest.raises(InosukeError, match=f"{name}: missing"):
        manifest.check(folder)


def test_figures_changed_by_hand_are_noticed(folder: Path) -> None:
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    (folder / "manifest.json").write_text(text.replace('"near": 2', '"near": 0'), encoding="utf-8")
    with pytest.raises(InosukeError, match="figures were changed"):
        manifest.check(folder)


@pytest.mark.parametrize("text", ["{", "[]", '{"files": {}}', '{"version": "x", "files": []}'])
def test_a_missing_manifest_and_a_broken_one_are_error_messages(text: str, tmp_path: Path) -> None:
    with pytest.raises(InosukeError, match="not an export"):
        manifest.check(tmp_path)
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(InosukeError, match=r"manifest\.json: damaged .*inosuke dataset"):
        manifest.check(tmp_path)


def test_a_folder_that_cannot_be_written_is_an_error_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InosukeError, match="cannot be written"):
        write(tmp_path / "file")


def test_held_out_prompts_ship_with_their_rights(written: Path) -> None:
    assert [json.loads(line) for line in (written / "heldout.jsonl").read_text(encoding="utf-8").splitlines()] == [
        {
            "id": "identity-1",
            "messages": [{"role": "user", "content": "Ngươi là máy à?", "name": "Bạn"}],
            "reference": "Gõ vào trán ta xem có kêu không!",
            "tests": "identity",
            "source": "datasets/sources/handwritten/conversations.vi.jsonl",
            "rights": "own",
        }
    ]
    assert (written / "persona.toml").read_bytes() == PERSONA_FILE.read_bytes()
