"""`inosuke import`: the table, its hints, and --show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click.testing
import pytest
from click.testing import CliRunner, Result

from inosuke import cli
from tests.conftest import ROOT
from tests.tools.transcripts import Cue, ass, srt

TALK = [
    "TANJIRO: Where are you hiding this time?",
    "INOSUKE: Up on the roof, of course! Come and get me!",
    "TANJIRO: Come down, the rice is ready.",
    "♪ La la la ♪",
]
CHAPTERS = b'<?xml version="1.0"?>\n<!-- <!DOCTYPE Chapters> -->\n<Chapters>\n  <EditionEntry/>\n</Chapters>\n'


def look(*arguments: str | Path) -> Result:
    options = ["--persona", str(ROOT / "persona.toml"), "--dry-run"]
    return CliRunner().invoke(cli, ["import", *map(str, arguments), *options])


def shown(*arguments: str | Path) -> list[dict[str, Any]]:
    run = look(*arguments, "--json")
    assert run.exit_code == 0, run.output
    files: list[dict[str, Any]] = json.loads(run.stdout)["files"]
    return files


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    path = tmp_path / "ep 1.srt"
    path.write_text(srt(TALK), encoding="utf-8")
    return path


def test_lines_with_their_speakers_times_and_flags(talk: Path) -> None:
    (file,) = shown(talk, "--show", "lines")
    assert file["lines"] == [
        {"speaker": "Tanjiro", "text": "Where are you hiding this time?", "start_ms": 0, "flags": []},
        {"speaker": "Inosuke", "text": "Up on the roof, of course! Come and get me!", "start_ms": 2000, "flags": []},
        {"speaker": "Tanjiro", "text": "Come down, the rice is ready.", "start_ms": 4000, "flags": []},
    ]
    text = look(talk, "--show", "lines").output
    assert "00:00:02.000  Inosuke  Up on the roof, of course! Come and get me!" in text


def test_samples_and_what_is_quarantined_with_reasons(talk: Path) -> None:
    (file,) = shown(talk, "--show", "samples")
    (sample,) = file["shown_samples"]
    assert (sample["kind"], sample["flags"]) == ("conversation", [])
    assert [m["role"] for m in sample["messages"]] == ["user", "assistant"]
    (file,) = shown(talk, "--show", "set-aside")
    assert [(p["reason"], p["text"]) for p in file["set_aside"]] == [
        ("karaoke", "♪ La la la ♪"),
        ("after_last_reply", "Tanjiro: Come down, the rice is ready."),
    ]
    assert all(p["locator"] for p in file["set_aside"])
    text = look(talk, "--show", "set-aside").output
    assert "karaoke 1: The words of a song." in text and "♪ La la la ♪" in text
    assert "Inosuke: Up on the roof" not in text


def test_a_line_that_names_nobody_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_text(srt(["Inosuke: Ha! Up on the roof!", "Who goes there?"]), encoding="utf-8")
    (file,) = shown(path, "--show", "lines")
    assert [line["flags"] for line in file["lines"]] == [[], ["unknown_speaker"]]


def test_a_terminal_is_given_a_page_at_a_time(talk: Path) -> None:
    seen: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(click, "echo_via_pager", lambda text: seen.extend(text))
        patch.setattr(click.testing._NamedTextIOWrapper, "isatty", lambda self: True)
        assert look(talk, "--show", "lines").exit_code == 0
    assert any("Up on the roof" in line for line in seen)


def test_what_comes_with_a_release_is_one_line_and_no_error(talk: Path) -> None:
    folder = talk.parent
    for name in ("a.ttf", "B.OTF", "cover.jpg", "x.nfo", "x.md5"):
        (folder / name).write_bytes(b"\0\1\2")
    (folder / "chapters.xml").write_bytes(CHAPTERS)
    (folder / "utf16.xml").write_bytes(CHAPTERS.decode().encode("utf-16"))
    (folder / "ogm.txt").write_bytes(b"CHAPTER01=00:00:00.000\nCHAPTER01NAME=Opening\n")
    run = look(folder)
    assert run.exit_code == 0
    assert "8 files hold no lines: chapters, check sums, fonts, images, release notes" in run.output
    assert len([line for line in run.output.splitlines() if ".ttf" in line or "chapters.xml" in line]) == 0
    assert look(folder / "a.ttf").output.strip() == "1 file holds no lines: fonts"


def test_a_file_that_cannot_be_read_is_an_error_still(talk: Path) -> None:
    (talk.parent / "b.xml").write_text("<book><pages>", encoding="utf-8")
    run = look(talk.parent, "--show", "lines")
    assert run.exit_code == 1 and "Error: " in run.output and "Up on the roof" in run.output


def test_hints_name_what_would_help(tmp_path: Path) -> None:
    (tmp_path / "1.srt").write_text(srt(["Where are you?", "Up on the roof!"]), encoding="utf-8")
    kun = [Cue(0, 1000, "Come down!", "Inosuke-kun"), Cue(2000, 3000, "No!", "Inosuke")]
    (tmp_path / "2.ass").write_text(ass(kun), encoding="utf-8")
    rows = [{"speaker": "Inosuke", "text": "Up on the roof!"}, {"speaker": "Aoi", "text": "Come down!"}]
    (tmp_path / "3.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    notes = {Path(f["path"]).name: " ".join(f["notes"]) for f in shown(tmp_path)}
    assert "no speakers: this would help" in notes["1.srt"] and "no times" not in notes["1.srt"]
    assert "names like Inosuke's: Inosuke-kun 1" in notes["2.ass"]
    assert "no times" in notes["3.jsonl"]
    assert f"{tmp_path / '2.ass'}: names like Inosuke's: Inosuke-kun 1" in look(tmp_path).output
