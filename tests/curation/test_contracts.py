"""The files that stages hand to each other: round trips, unknown keys, damage."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.contracts.evaluation import read_evaluation
from curation.contracts.gguf import read_gguf_list
from curation.contracts.manifest import Manifest, check_files, read_manifest, write_manifest
from curation.contracts.rows import chat_rows, read_chat_rows
from curation.contracts.run import RunMetrics, Scores, read_metrics, write_metrics
from curation.errors import InosukeError
from curation.files import sha256_file
from curation.newest import find_run, newest_export, newest_run, set_latest

METRICS: dict[str, Any] = {
    "run": "run-1",
    "base_model": {"name": "Tiny", "path": "models/base/Tiny", "sha256": None},
    "prompt": "chat",
    "eval": {"rows": 3, "base": {"loss": 2.0}, "adapter": {"loss": 1.5, "perplexity": None}},
    "another_versions_key": {"kept": [1, 2]},
}


def run(folder: Path, content: dict[str, Any] = METRICS) -> Path:
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_metrics_come_back_with_the_keys_they_had(tmp_path: Path) -> None:
    metrics = read_metrics(run(tmp_path / "run-1"))
    assert (metrics.eval.adapter.loss, metrics.base_model.name) == (1.5, "Tiny")
    write_metrics(tmp_path, metrics)
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8")) == METRICS


def test_a_figure_that_is_not_a_number_is_null_in_the_file_and_nan_here(tmp_path: Path) -> None:
    scores = Scores(loss=math.inf, perplexity=math.nan)
    assert scores.to_json() == {"loss": None, "perplexity": None}
    assert math.isnan(Scores.model_validate({"loss": None}).loss)


@pytest.mark.parametrize(
    ("base", "adapter", "worse"), [(2.0, 1.9, False), (2.0, 2.0, True), (2.0, None, True), (None, 1.0, False)]
)
def test_a_run_is_worse_where_its_adapter_does_not_beat_the_base(base: Any, adapter: Any, worse: bool) -> None:
    scores = {"base": {"loss": base}, "adapter": {"loss": adapter}}
    assert RunMetrics.model_validate(METRICS | {"eval": scores}).is_worse is worse


@pytest.mark.parametrize(("change", "forgets"), [(-0.01, False), (0.01, False), (0.013, True)])
def test_a_run_that_forgot_dialogues_for_preferences_is_not_the_newest(change: float, forgets: bool) -> None:
    learnt = {"dialogues_before": {"reply_nll_per_char": 1.24}, "dialogues_change": {"value": change}}
    good = {"base": {"loss": 2.0}, "adapter": {"loss": 1.9}}
    metrics = RunMetrics.model_validate(METRICS | {"eval": good, "started_from": "first", "preference": learnt})
    assert metrics.forgets is forgets
    assert any("higher than that of first (at most 1% may be lost)" in fault for fault in metrics.faults()) is forgets


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "manifest.json": ("inosuke dataset", read_manifest),
    "metrics.json": ("make train", read_metrics),
    "gguf/gguf.json": ("inosuke gguf", read_gguf_list),
    "evaluation.json": ("inosuke evaluate", read_evaluation),
}


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"{", b"[]", b'"text"', b'{"files": 3, "base_model": 3}', b""])
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_named_with_what_writes_it(name: str, damage: bytes, tmp_path: Path) -> None:
    writer, read = READERS[name]
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(damage)
    with pytest.raises(InosukeError) as error:
        read(tmp_path)
    assert str(error.value).startswith(f"{file}: damaged (") and f"`{writer}`" in str(error.value)


def test_a_changed_file_of_an_export_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows").write_text("a", encoding="utf-8")
    digest = sha256_file(tmp_path / "rows")
    write_manifest(tmp_path, Manifest(version="1", files={"rows": digest}))
    assert check_files(tmp_path).version == "1"
    (tmp_path / "rows").write_text("b", encoding="utf-8")
    with pytest.raises(InosukeError, match="rows: changed after the export"):
        check_files(tmp_path)
    (tmp_path / "rows").unlink()
    with pytest.raises(InosukeError, match=r"rows: missing, though manifest\.json lists it"):
        check_files(tmp_path)


def test_a_line_separator_inside_a_reply_does_not_end_its_row(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b\u2028c\x85d"}]
    row = {"id": "1", "kind": "quote", "language": "vi", "messages": messages}
    file = tmp_path / chat_rows("train")
    file.parent.mkdir()
    file.write_text(json.dumps(row, ensure_ascii=False) + "\n\n", encoding="utf-8")
    (read,) = read_chat_rows(tmp_path, "train")
    assert (read.messages[-1].content, read.language) == ("b\u2028c\x85d", "vi")


@pytest.mark.parametrize("line", ["{", '{"id": 1}', "[]", '{"id": "1", "kind": "quote", "messages": 3}'])
def test_a_damaged_row_is_named_by_its_line(line: str, tmp_path: Path) -> None:
    good = {"id": "1", "kind": "quote", "messages": []}
    file = tmp_path / chat_rows("eval")
    file.parent.mkdir()
    file.write_text(f"{json.dumps(good)}\n{line}\n", encoding="utf-8")
    with pytest.raises(InosukeError, match=r"chat\.eval\.jsonl: damaged at line 2 "):
        read_chat_rows(tmp_path, "eval")


def test_the_newest_is_what_the_pointer_names(tmp_path: Path) -> None:
    run(tmp_path / "run-1")
    run(tmp_path / "run-2")
    set_latest(tmp_path, "run-1")
    assert newest_run(tmp_path) == find_run(tmp_path) == tmp_path / "run-1"
    assert find_run(tmp_path, "run-2") == tmp_path / "run-2"


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"", b"../run-1\n", b"gone\n", b"run-1\nrun-1\n", b"."])
def test_a_damaged_pointer_is_shown_with_what_is_there(damage: bytes, tmp_path: Path) -> None:
    run(tmp_path / "run-1")
    (tmp_path / "latest").write_bytes(damage)
    with pytest.raises(InosukeError, match=r"latest: damaged, it names .*Available: run-1\."):
        newest_run(tmp_path)


def test_a_pointer_that_is_missing_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(InosukeError, match=r"latest: does not exist.*does not hold any export yet.*inosuke dataset"):
        newest_export(tmp_path)


def test_a_name_of_a_run_is_a_path_only_where_that_is_allowed(tmp_path: Path) -> None:
    outside = run(tmp_path / "elsewhere" / "run-9")
    with pytest.raises(InosukeError, match="there is not a finished run called"):
        find_run(tmp_path / "models", str(outside))
    assert find_run(tmp_path / "models", str(outside), anywhere=True) == outside
