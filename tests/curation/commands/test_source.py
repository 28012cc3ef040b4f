"""`inosuke source add`: one entry more in persona.toml, and nothing else changed."""

from __future__ import annotations

import difflib
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from curation.persona import load_persona
from inosuke import cli
from tests.conftest import ROOT
from tests.tools.transcripts import srt

MINIMAL = 'name = "Kai"\nlanguages = ["en"]\nsystem_prompt = "Kai."\n'
TALK = ["Kai: I was up on the roof all night, you know.", "Mei: And what did you do up there?", "Kai: I counted bats."]


@pytest.fixture
def persona(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    shutil.copy(ROOT / "persona.toml", tmp_path / "project")
    return tmp_path / "project" / "persona.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "phim của tôi").mkdir()
    return tmp_path / "phim của tôi"


def add(persona: Path, folder: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["source", "add", str(folder), "--persona", str(persona), *options])


def test_an_entry_is_inserted_and_every_other_line_stays(persona: Path, folder: Path) -> None:
    before = persona.read_text(encoding="utf-8")
    run = add(persona, folder)
    assert run.exit_code == 0, run.output
    assert f"Next: inosuke import '{folder}'" in run.output and "make review" in run.output
    after = persona.read_text(encoding="utf-8")
    changes = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]
    assert sorted(changes) == ["+ ", "+ [[sources]]", '+ path = "../phim của tôi"', '+ rights = "private"']
    added = load_persona(persona).sources[-1]
    assert (added.rights, added.trusted, added.trust_transcripts) == ("private", False, False)
    assert (persona.parent / added.path).resolve() == folder.resolve()
    assert after.index("phim của tôi") < after.index("# The folder that `--corpus` names"), "before the next comment"


def test_a_persona_with_a_lorebook_takes_an_entry_too(persona: Path, folder: Path) -> None:
    persona.write_text(MINIMAL + '[lorebook]\nfile = "lore.json"\n', encoding="utf-8")
    (persona.parent / "lore.json").write_text('[{"keys": ["a"], "content": "x"}]', encoding="utf-8")
    assert add(persona, folder).exit_code == 0
    added = load_persona(persona)
    assert len(added.sources) == 1 and added.lore is not None


def test_options_and_line_ends_are_kept(persona: Path, folder: Path) -> None:
    persona.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode().rstrip() + b"  # ours")
    assert add(persona, folder, "--rights", "own", "--trusted").exit_code == 0
    data = persona.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfname") and b"  # ours\r\n\r\n[[sources]]\r\n" in data
    assert data.count(b"\n") == data.count(b"\r\n")
    (added,) = load_persona(persona).sources
    assert (added.rights, added.trusted) == ("own", True)


def test_what_cannot_be_added_is_refused_and_the_file_untouched(persona: Path, folder: Path) -> None:
    add(persona, folder)
    before = persona.read_bytes()
    (folder / "season 1").mkdir()
    (folder / "a.srt").write_text(srt(TALK), encoding="utf-8")
    (persona.parent / "datasets" / "export").mkdir(parents=True)
    refused = {
        folder: "already",
        folder / "season 1": "inside the source folder ../phim của tôi",
        folder.parent: "around the source folder",
        persona.parent / "datasets" / "export": "writes itself (datasets/export)",
        folder / "nowhere": "no such folder",
        folder / "a.srt": "a file, not a folder",
    }
    for path, why in refused.items():
        run = add(persona, path)
        assert run.exit_code == 1 and why in str(run.exception), (path, run.output)
    assert persona.read_bytes() == before


def test_sources_in_one_list_are_left_to_the_user(persona: Path, folder: Path) -> None:
    persona.write_text(MINIMAL + 'sources = [{ path = "lines" }]\n', encoding="utf-8")
    run = add(persona, folder)
    assert "Add this entry yourself" in str(run.exception) and "[[sources]]" not in persona.read_text("utf-8")


def test_a_bracket_inside_a_list_is_not_taken_for_a_table(persona: Path, folder: Path) -> None:
    text = (
        MINIMAL
        + '[[sources]]\npath = "lines"\nheld_out = [\n  "a",\n  "[b]*",\n]\n# the end\n[split]\neval_share = 0.2\n'
    )
    persona.write_text(text, encoding="utf-8")
    assert add(persona, folder).exit_code == 0
    found = load_persona(persona)
    assert [s.path for s in found.sources] == ["lines", "../phim của tôi"] and found.sources[0].held_out == (
        "a",
        "[b]*",
    )


def test_from_a_folder_of_subtitles_to_samples_that_wait(persona: Path, folder: Path) -> None:
    persona.write_text(MINIMAL, encoding="utf-8")
    (folder / "ep 1.srt").write_text(srt([*TALK, *TALK[1:]]), encoding="utf-8")
    assert add(persona, folder, "--trusted").exit_code == 0
    shown = CliRunner().invoke(cli, ["import", str(folder), "--persona", str(persona)])
    assert shown.exit_code == 0 and "Kai 3" in shown.output
    built = CliRunner().invoke(cli, ["dataset", "--json", "--persona", str(persona)])
    report = json.loads(built.stdout)
    assert (report["approved"], report["awaiting_review"]) == (0, 1)
