"""What a person is told of a card that comes in: the author's notes, a newer version, keys without effect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from inosuke import cli
from tests.curation.character_cards.making import card


def run(*arguments: Any) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def written(folder: Path, value: Any) -> Path:
    file = folder / "in.json"
    file.write_text(json.dumps(value), encoding="utf-8")
    return file


@pytest.mark.parametrize("spec", [("chara_card_v3", "3.1"), ("chara_card_v3", 4), ("chara_card_v4", "4.0")])
def test_a_card_of_a_newer_version_is_read_as_v3_and_all_of_it_kept(tmp_path: Path, spec: tuple[str, Any]) -> None:
    value = card(moods=["wild"]) | {"spec": spec[0], "spec_version": spec[1], "layers": {"x": 1}}
    file = written(tmp_path, value)
    status, said = run("card", "check", file)
    note = f"`spec_version` is {spec[1]}, newer than 3.0. The card is read as V3; all of it is kept."
    assert f"V3, {int(spec[0] != 'chara_card_v3')} faults" in said and note in said, said
    assert status == int(spec[0] != "chara_card_v3")
    status, said = run("card", "import", file, "--into", tmp_path / "boar")
    assert status == 0 and note in said and "Kept, but not understood: `layers`, `data.moods`." in said, said
    out = tmp_path / "out.json"
    persona = tmp_path / "boar" / "persona.toml"
    persona.write_text(persona.read_text("utf-8").replace('name = "Boar"', 'name = "Sow"'), "utf-8")
    assert run("card", "export", "--out", out, "--persona", persona)[0] == 0
    data = value["data"] | {"name": "Sow"}
    assert json.loads(out.read_text("utf-8")) == value | {"data": data}


@pytest.mark.parametrize("version", ["3.0", "2.9", "nan", "inf", "1e999", "x", None, True, [4]])
def test_other_versions_are_not_newer(tmp_path: Path, version: Any) -> None:
    _, said = run("card", "check", written(tmp_path, card() | {"spec_version": version}))
    assert "newer" not in said and ("V3, 0 faults" in said) == (version == "3.0"), said


NOTES = "Hello <b>there</b>\x1b[2Jred\u202e\r\nSecond {{char}} line"


@pytest.mark.parametrize("command", ["import", "new"])
def test_the_author_s_notes_are_shown_as_text(tmp_path: Path, command: str) -> None:
    file = written(tmp_path, card(creator_notes=NOTES, creator_notes_multilingual={"vi": "Chào", "ja": "や"}))
    other = {"import": ["card", "import", file, "--into"], "new": ["new", "--yes", "--from", file, "--into"]}[command]
    status, said = run(*other, tmp_path / "a", "--language", "en")
    assert status == 0, said
    assert (
        "The author of the card says:\n  Hello <b>there</b>[2Jred\n  Second {{char}} line\n  (also in: vi, ja)" in said
    )
    assert "\x1b" not in said and "\u202e" not in said
    assert "says:\n  Chào\n  (also in: ja, en)" in run(*other, tmp_path / "b", "--language", "vi")[1]


def test_notes_of_megabytes_are_cut_and_none_says_nothing(tmp_path: Path) -> None:
    _, said = run("card", "import", written(tmp_path, card(creator_notes="x" * 10**6)), "--into", tmp_path / "a")
    assert "… (998,000 more characters are in the card)" in said and len(said) < 3000
    file = written(tmp_path, card(creator_notes=7, creator_notes_multilingual=[1]))
    status, said = run("card", "import", file, "--into", tmp_path / "b")
    assert status == 0 and "author" not in said and "breaks its specification in 1 places" in said, said
