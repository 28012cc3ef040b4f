"""`inosuke bases`: figures are measured on the corpus at hand, for bases that are here; nothing is fetched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from inosuke import cli
from tests.conftest import ROOT
from tests.tools.tokenizers import chatml_tokenizer
from tests.train.conftest import ONE, TWO, write_export

ROWS = [
    {"instruction": "Hỏi: Ngươi là ai?", "input": "", "output": "Ta là chúa tể núi rừng!"},
    {"instruction": "You: Who are you?", "input": "", "output": "The king!"},
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose persona names SmolLM2 for a CPU, with a (tiny) tokenizer for it and two rows of sources."""
    text = (ROOT / "persona.toml").read_text(encoding="utf-8")
    start, end = text.index("[models]"), text.index("[dedup]")
    models = '[models]\ngpu = "Qwen/Qwen2.5-3B-Instruct"\ncpu = "SmolLM2-135M-Instruct"\n\n'
    (tmp_path / "persona.toml").write_text(text[:start] + models + text[end:], encoding="utf-8")
    chatml_tokenizer().save_pretrained(tmp_path / "models" / "base" / "SmolLM2-135M-Instruct")
    sources = tmp_path / "datasets" / "sources" / "handwritten"
    sources.mkdir(parents=True)
    lines = [json.dumps(row, ensure_ascii=False) for row in ROWS]
    (sources / "lines.jsonl").write_text("\n".join([*lines, "not a row"]) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listed() -> tuple[dict[str, dict[str, Any]], str]:
    result = CliRunner().invoke(cli, ["bases", "--json"], catch_exceptions=False)
    content = json.loads(result.output)
    return {row["name"]: row for row in content["bases"]}, content["measured_on"]


def bytes_a_character(texts: list[str]) -> Any:
    """Return what the test's tokenizer measures: it has a token a byte."""
    return pytest.approx(sum(len(text.encode()) for text in texts) / sum(map(len, texts)))


def test_a_base_that_is_here_is_measured_on_the_sources_and_then_on_the_export(project: Path) -> None:
    table, corpus = listed()
    assert corpus == "2 rows of the source folders (no export yet)"
    row = table["SmolLM2-135M-Instruct"]
    assert row["tokens_per_char"] == bytes_a_character([row["output"] for row in ROWS])
    assert (row["template"], row["is_here"], row["not_measured"]) == ("right", True, None)

    folder = write_export(project, [ONE], [TWO])
    table, corpus = listed()
    assert corpus == f"2 dialogues of the export {folder.name}"
    said = [text for talk in (ONE, TWO) for role, text in talk if role == "assistant"]
    assert table["SmolLM2-135M-Instruct"]["tokens_per_char"] == bytes_a_character(said)


def test_what_persona_toml_names_is_marked_and_what_is_not_here_has_the_reason(project: Path) -> None:
    table, _ = listed()
    assert {name: row["named_for"] for name, row in table.items() if row["named_for"]} == {
        "SmolLM2-135M-Instruct": ["cpu"],
        "Qwen2.5-3B-Instruct": ["gpu"],
    }
    absent = table["Qwen2.5-3B-Instruct"]
    assert (absent["tokens_per_char"], absent["template"], absent["is_here"]) == (None, None, False)
    assert absent["not_measured"] == "not on this machine yet, so nothing was measured"
    assert (absent["licence"], absent["commercial"]) == ("qwen-research", False)


def test_a_template_that_cannot_be_trained_on_is_reported(project: Path) -> None:
    folder = project / "models" / "base" / "SmolLM2-135M-Instruct"
    tokenizer = chatml_tokenizer()
    tokenizer.chat_template = tokenizer.chat_template.replace("message.content", "message.content[:1]")
    shutil.rmtree(folder)
    tokenizer.save_pretrained(folder)
    table, _ = listed()
    assert "changes or drops" in table["SmolLM2-135M-Instruct"]["template"]
    shown = CliRunner().invoke(cli, ["bases"], catch_exceptions=False).output
    assert "wrong, see below" in shown and "\nSmolLM2-135M-Instruct: " in shown


def test_the_table_names_the_licence_and_whether_a_base_fits(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from train.loop import forecast

    monkeypatch.setattr(forecast, "free_bytes", lambda device: 2e9)
    shown = CliRunner().invoke(cli, ["bases"], catch_exceptions=False).output.splitlines()
    smol = next(line for line in shown if "SmolLM2-135M" in line)
    assert smol.startswith("*") and "yes: " in smol
    qwen = next(line for line in shown if "Qwen3-4B" in line)
    assert "no: " in qwen and "2.0 free" in qwen
    assert "qwen-research (no commercial use)" in next(line for line in shown if "Qwen2.5-3B-Instruct" in line)
    assert "SmolLM2-135M-Instruct on a CPU" in shown[-1]


def test_a_full_disk_is_a_reason_not_to_fit(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(project)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000_000_000))
    table, _ = listed()
    assert table["Qwen3-4B"]["fits"] is False and table["Qwen3-4B"]["why"] == "no: 8.0 GB on disk, 1.0 free"
    assert "on disk" not in table["SmolLM2-135M-Instruct"]["why"], "it is here already"


def test_without_a_corpus_nothing_is_measured(project: Path) -> None:
    shutil.rmtree(project / "datasets")
    table, corpus = listed()
    assert corpus == "nothing: no corpus"
    assert table["SmolLM2-135M-Instruct"]["not_measured"] == "there is no corpus to measure on"
