"""`inosuke dataset flagged`, from the sources to what the command prints and what persona.toml then does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from curation.errors import InosukeError, UsageError
from curation.folders import Folders
from curation.review.decisions import line
from curation.review.events import Decision
from inosuke import cli

Project = Callable[..., Path]

ROWS = [
    {"instruction": f"Hỏi: Câu thứ {n} là gì?", "input": "", "output": f"Ta trả lời câu {n}, xem www.rung{n}.vn đi!"}
    for n in range(1, 13)
]
SOUND = {"instruction": "Hỏi: Ai mạnh nhất?", "input": "", "output": "Ta chứ ai!"}
LOOP = {"instruction": "Hỏi: Nói đi?", "input": "", "output": "Ta đói, ta đói, ta đói, ta đói!"}


def inosuke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments])


@pytest.fixture
def root(project: Project) -> Path:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in (*ROWS, SOUND, LOOP))
    root = project({"handwritten/a.jsonl": lines})
    assert inosuke("dataset", "--persona", root / "persona.toml").exit_code == 0
    return root


def listed(root: Path, *options: str) -> dict[str, Any]:
    run = inosuke("dataset", "flagged", "--json", "--persona", root / "persona.toml", *options)
    assert run.exit_code == 0, run.output
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def judge(root: Path, ids: list[str], verdict: str) -> None:
    with Folders(root).log.open("a", encoding="utf-8") as file:
        for number, sample_id in enumerate(ids):
            event = Decision(
                id=f"{verdict}{number:024}", sample_id=sample_id, revision=0, verdict=verdict,  # type: ignore[arg-type]
                messages=None, reason="", annotator="lan", client="streamlit",
                time=f"2026-11-29T10:00:{number:02}.000Z",
            )  # fmt: skip
            file.write(line(event) + "\n")


def test_the_flagged_samples_have_the_promised_form(root: Path) -> None:
    found = listed(root)
    assert len(found["samples"]) == 13
    assert found["samples"][0] | {"id": ""} == {
        "id": "",
        "codes": ["link"],
        "path": "datasets/sources/handwritten/a.jsonl",
        "locator": "row 1",
        "text": "Hỏi: Câu thứ 1 là gì?\nassistant: Ta trả lời câu 1, xem www.rung1.vn đi!",
    }
    (only,) = listed(root, "--code", "loop")["samples"]
    assert (only["locator"], only["codes"]) == ("row 14", ["loop"])


def test_the_builds_summary_names_the_command_and_says_what_a_flag_holds_back(root: Path) -> None:
    shown = inosuke("dataset", "--persona", root / "persona.toml").output
    assert "link 12" in shown and "; inosuke dataset flagged\n" in shown
    assert "13 of them from a trusted folder: a flag that is nearly always right holds them back" in shown


def test_the_table_shows_the_words_and_the_precision(root: Path) -> None:
    ids = [s["id"] for s in listed(root, "--code", "link")["samples"]]
    judge(root, ids[:3], "reject")
    judge(root, ids[3:4], "approve")
    shown = inosuke("dataset", "flagged", "--limit", "2", "--persona", root / "persona.toml").output
    assert "link: www.rung1.vn" in shown and "www.rung3.vn" not in shown and "and 11 more" in shown
    (row,) = [text.split() for text in shown.splitlines() if text.startswith("link ")]
    assert row[:5] == ["link", "12", "3", "1", "75%"]
    assert "off = [" not in shown


def test_a_flag_that_is_seldom_right_offers_the_table_that_switches_it_off(root: Path) -> None:
    judge(root, [s["id"] for s in listed(root, "--code", "link")["samples"]][:11], "approve")
    (link,) = [c for c in listed(root)["codes"] if c["code"] == "link"]
    assert (link["right"], link["wrong"], link["precision"], link["offers_to_be_off"]) == (0, 11, 0.0, True)
    shown = inosuke("dataset", "flagged", "--persona", root / "persona.toml").output
    table = shown[shown.index("[checks]") : shown.index("]\n", shown.index("off =")) + 1]
    with (root / "persona.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{table}\n")
    built = json.loads(inosuke("dataset", "--json", "--persona", root / "persona.toml").stdout)
    assert built["flagged"] == {"loop": 1} and built["awaiting_flagged"] == 1
    assert [s["codes"] for s in listed(root)["samples"]] == [["loop"]]


def test_a_code_that_does_not_exist_and_a_queue_that_is_missing_are_explained(root: Path, tmp_path: Path) -> None:
    run = inosuke("dataset", "flagged", "--code", "lop", "--persona", root / "persona.toml")
    assert isinstance(run.exception, UsageError) and re.search("lop: no flag .*, loop,", str(run.exception))
    Folders(root).queue.unlink()
    run = inosuke("dataset", "flagged", "--persona", root / "persona.toml")
    assert isinstance(run.exception, InosukeError) and "no queue yet" in str(run.exception)


def test_no_flag_is_said_to_be_none(project: Project) -> None:
    root = project({"handwritten/a.jsonl": json.dumps(SOUND, ensure_ascii=False) + "\n"})
    assert inosuke("dataset", "--persona", root / "persona.toml").exit_code == 0
    assert "No sample" in inosuke("dataset", "flagged", "--persona", root / "persona.toml").output
