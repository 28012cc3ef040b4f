"""A card that is written in the other version, by the command: what V3 wants and V2 does not have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from inosuke import cli


def inosuke(*arguments: object) -> str:
    run = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert run.exit_code == 0, run.output
    return run.output


def card(version: int, entry: dict[str, Any]) -> dict[str, Any]:
    data = dict.fromkeys(("name", "description", "personality", "scenario", "first_mes", "mes_example"), "")
    data |= dict.fromkeys(
        ("creator_notes", "system_prompt", "post_history_instructions", "creator", "character_version"), ""
    )
    book = {"extensions": {}, "entries": [{"keys": ["hive"], "extensions": {}, "enabled": True} | entry]}
    lists: dict[str, Any] = {"alternate_greetings": [], "tags": []} | (
        {"group_only_greetings": []} if version == 3 else {}
    )
    said = {"name": "Mai", "description": "{{char}} keeps bees.", "system_prompt": "Be calm."}
    return {
        "spec": f"chara_card_v{version}",
        "spec_version": f"{version}.0",
        "data": data | lists | said | {"extensions": {"foo": 1}, "character_book": book, "zzz": 5},
    }


@pytest.mark.parametrize("version", [2, 3])
def test_a_card_in_the_other_version_breaks_nothing_and_keeps_every_key(version: int, tmp_path: Path) -> None:
    entry: dict[str, Any] = {"content": "@@depth 4\n@@@role system\nIt hums.", "insertion_order": 1}
    entry |= {"use_regex": False} if version == 3 else {}
    there = card(version, entry)
    (tmp_path / "mai.json").write_text(json.dumps(there), encoding="utf-8")
    inosuke("card", "import", tmp_path / "mai.json", "--into", tmp_path / "mai")
    other, out = 5 - version, tmp_path / "out.json"
    inosuke("card", "export", "--out", out, f"--v{other}", "--persona", tmp_path / "mai" / "persona.toml")
    written = json.loads(out.read_text(encoding="utf-8"))
    assert list(written)[:2] == ["spec", "spec_version"] and written["spec"] == f"chara_card_v{other}"
    assert (written["data"]["zzz"], written["data"]["extensions"]["foo"]) == (5, 1)
    [entry] = written["data"]["character_book"]["entries"]
    assert entry["content"] == ("It hums." if other == 2 else "@@depth 4\n@@@role system\nIt hums.")
    assert other == 2 or entry["use_regex"] is False
    assert "0 faults" in inosuke("card", "check", out)


def test_everything_that_defines_the_character_reaches_its_prompt(tmp_path: Path) -> None:
    (tmp_path / "mai.json").write_text(
        json.dumps(card(2, {"content": "It hums.", "insertion_order": 1})), encoding="utf-8"
    )
    inosuke("card", "import", tmp_path / "mai.json", "--into", tmp_path / "mai")
    assert 'system_prompt = "Be calm.\\n\\nMai keeps bees."' in (tmp_path / "mai/persona.toml").read_text("utf-8")
