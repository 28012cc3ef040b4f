"""`inosuke lorebook`: entries, what has no effect, what a message makes fire; a published run carries the book."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from curation.hub.model_repository import _files
from inosuke import cli

MINIMAL = 'name = "Kai"\nlanguages = ["en"]\nsystem_prompt = "Kai."\n'
BOOK = [
    {"keys": ["roof"], "content": "@@depth 3\nKai sleeps on roofs.", "name": "Roofs"},
    {"keys": [], "constant": True, "content": "It is night."},
    {"keys": ["x"], "content": "off", "enabled": False},
]


@pytest.fixture
def persona(tmp_path: Path) -> Path:
    file = tmp_path / "persona.toml"
    file.write_text(MINIMAL + '[lorebook]\nfile = "lore.json"\n', encoding="utf-8")
    (tmp_path / "lore.json").write_text(json.dumps(BOOK), encoding="utf-8")
    return file


def lorebook(persona: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["lorebook", "--persona", str(persona), *options])


def test_entries_and_notes_are_listed(persona: Path) -> None:
    said = lorebook(persona).output
    assert "lore.json: 3 entries, 1 of them constant" in said
    assert "1. Roofs [roof] Kai sleeps on roofs." in said and "2. #2 [constant] It is night." in said
    assert "3. x [off] off" in said and "Note: entry 1 (Roofs): @@depth is not understood" in said


def test_a_message_shows_what_it_makes_fire(persona: Path) -> None:
    assert "1. Roofs" in lorebook(persona, "--say", "On the ROOF?").output
    assert "No entry fires." in lorebook(persona, "--say", "hello").output
    found = json.loads(lorebook(persona, "--say", "roof", "--json").output)
    assert [row["fires"] for row in found["entries"]] == [True, False, False] and found["scan_depth"] == 4


def test_a_persona_without_a_book_or_with_a_damaged_one_is_an_error(persona: Path) -> None:
    (persona.parent / "lore.json").write_text("{", encoding="utf-8")
    run = lorebook(persona)
    assert run.exit_code != 0 and "not valid JSON" in str(run.exception or run.output)
    persona.write_text(MINIMAL, encoding="utf-8")
    run = lorebook(persona)
    assert run.exit_code != 0 and "no lorebook. Name one" in str(run.exception or run.output)


def test_what_is_published_of_a_run_has_the_book(persona: Path) -> None:
    for name in ("README.md", "metrics.json", "adapter/adapter_model.safetensors", "tokenizer/tokenizer.json"):
        (persona.parent / name).parent.mkdir(exist_ok=True)
        (persona.parent / name).write_text("{}", encoding="utf-8")
    assert {"persona.toml", "lore.json"} <= set(_files(persona.parent, merged=False))
