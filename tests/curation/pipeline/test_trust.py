"""Trust ends at handwriting: what was cut from a transcript is read by an annotator before it counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from curation.folders import Folders
from curation.review.decisions import line, read_log
from curation.review.events import Decision
from inosuke import cli
from tests.curation.pipeline.test_stages import PROMPTS, REPLIES, ROWS, jsonl
from tests.tools.transcripts import srt

Project = Callable[..., Path]

TALK = [
    line for p, r in zip(PROMPTS, REPLIES, strict=True) for line in (f"Tanjiro: {p}", f"Inosuke: {r} Nghe rõ chưa?")
]
SCRIPT = "\n\n".join(TALK) + "\n"
TABLE = jsonl(*({"speaker": line.split(": ")[0], "text": line.split(": ", 1)[1]} for line in TALK))


def inosuke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments])


def counts(*arguments: str | Path) -> dict[str, Any]:
    run = inosuke("dataset", "--json", *arguments)
    assert run.exit_code == 0, run.output
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize(("name", "content"), [("a.srt", srt(TALK)), ("a.md", SCRIPT), ("lines.jsonl", TABLE)])
def test_a_corpus_of_transcripts_waits_for_review(name: str, content: str, project: Project, tmp_path: Path) -> None:
    root = project({})
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / name).write_text(content, encoding="utf-8")
    report = counts("--corpus", folder, "--persona", root / "persona.toml")
    assert (report["approved"], report["version"], report["approved_on_import"]) == (0, None, {})
    assert report["awaiting_review"] == report["awaiting_transcripts"] > 0
    assert not Folders(root).log.exists()
    shown = inosuke("dataset", "--corpus", folder, "--persona", root / "persona.toml").output
    assert "of them cut from the transcripts of a trusted folder" in shown and "Next: make review" in shown


def test_rows_beside_transcripts_are_still_approved(project: Project, tmp_path: Path) -> None:
    root = project({})
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "conversations.jsonl").write_text(jsonl(*ROWS), encoding="utf-8")
    (folder / "a.srt").write_text(srt(TALK), encoding="utf-8")
    report = counts("--corpus", folder, "--persona", root / "persona.toml")
    assert report["approved"] == len(ROWS) == sum(report["exported"].values())
    assert report["awaiting_review"] == report["awaiting_transcripts"] > 0
    export = "".join(p.read_text("utf-8") for p in (Path(report["path"]) / "jsonl").glob("chat.*"))
    assert "a.srt" not in export


def test_a_source_folder_may_trust_its_transcripts_and_the_log_says_why(project: Project) -> None:
    root = project({"handwritten/a.srt": srt(TALK)})
    persona = root / "persona.toml"
    assert counts("--persona", persona)["approved"] == 0
    text = persona.read_text(encoding="utf-8")
    persona.write_text(text.replace("trusted = true", "trusted = true\ntrust_transcripts = true", 1), encoding="utf-8")
    report = counts("--persona", persona)
    assert (report["awaiting_review"], report["awaiting_transcripts"]) == (0, 0) and report["approved"] > 0
    (why,) = {d.reason for d in read_log(Folders(root).log).decisions}
    assert why == "transcripts: datasets/sources/handwritten says trust_transcripts in persona.toml"


def test_a_corpus_may_trust_its_transcripts(project: Project, tmp_path: Path) -> None:
    root = project({})
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.srt").write_text(srt(TALK), encoding="utf-8")
    with (root / "persona.toml").open("a", encoding="utf-8") as file:  # [corpus] is the last table
        file.write("trust_transcripts = true\n")
    report = counts("--corpus", folder, "--persona", root / "persona.toml")
    assert report["approved"] > 0 and report["awaiting_review"] == 0


FLAGGED = {"instruction": "Hỏi: Ai mạnh nhất?", "input": "", "output": "Xem www.rung.vn đi, ta ở đó!"}


def states(root: Path) -> list[tuple[str, str]]:
    return [(d.verdict, d.client) for d in read_log(Folders(root).log).decisions]


def test_a_flag_that_blocks_takes_back_an_older_approval_by_trust_and_gives_it_again(project: Project) -> None:
    """A log from before a check existed approves rows that the check finds."""
    root = project({"handwritten/a.jsonl": jsonl(*ROWS, FLAGGED)})
    persona = root / "persona.toml"
    text = persona.read_text(encoding="utf-8")
    persona.write_text(text + '\n[checks]\noff = ["link"]\n', encoding="utf-8")
    assert counts("--persona", persona)["approved"] == len(ROWS) + 1

    persona.write_text(text, encoding="utf-8")
    report = counts("--persona", persona)
    assert (report["approved"], report["awaiting_review"], report["awaiting_flagged"]) == (len(ROWS), 1, 1)
    assert report["approved_on_import"] == {"starter-corpus": len(ROWS)}
    assert states(root).count(("undo", "import")) == 1
    export = "".join(p.read_text("utf-8") for p in (Path(report["path"]) / "jsonl").glob("chat.*"))
    assert "www.rung.vn" not in export
    again = counts("--persona", persona)
    assert again["up_to_date"] and states(root).count(("undo", "import")) == 1

    persona.write_text(text + '\n[checks]\noff = ["link"]\n', encoding="utf-8")
    assert counts("--persona", persona)["approved"] == len(ROWS) + 1


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_what_a_person_decided_about_a_flagged_row_stands(verdict: str, project: Project) -> None:
    root = project({"handwritten/a.jsonl": jsonl(*ROWS, FLAGGED)})
    persona = root / "persona.toml"
    assert counts("--persona", persona)["awaiting_flagged"] == 1
    found = json.loads(inosuke("dataset", "flagged", "--json", "--persona", persona).stdout)
    (flagged,) = found["samples"]
    event = Decision(
        id="1" * 32, sample_id=flagged["id"], revision=0, verdict=verdict, messages=None,  # type: ignore[arg-type]
        reason="", annotator="lan", client="streamlit", time="2026-11-29T10:00:00.000+00:00",
    )  # fmt: skip
    with Folders(root).log.open("a", encoding="utf-8") as file:
        file.write(line(event) + "\n")
    report = counts("--persona", persona)
    assert report["approved"] == len(ROWS) + (verdict == "approve")
    assert (report["awaiting_review"], states(root).count(("undo", "import"))) == (0, 0)
    assert inosuke("dataset", "--persona", persona).output.count("holds them back") == 0
