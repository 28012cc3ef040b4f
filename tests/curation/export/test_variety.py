"""Opening words, near-duplicates, random samples; and `inosuke dataset stats`, which prints them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.commands.dataset import dataset
from curation.export import variety
from curation.export.variety import Opening
from curation.folders import Folders
from tests.conftest import ROOT
from tests.tools.exports import SAMPLES, sample, write

NEAR = sample("Cái diều mắc trên cây kìa.", "Cây nào? Ta leo! Cành cao nhất để ta bẻ cho gió nó SỢ nhé!")


def _row(id: str, *turns: str, kind: str = "conversation", language: str | None = "vi") -> dict[str, Any]:
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": text, "name": None} for i, text in enumerate(turns)]
    return {"id": id, "kind": kind, "language": language, "messages": messages}


def test_an_opening_is_two_words_of_a_reply_in_any_case_and_every_reply_counts() -> None:
    rows = [
        _row("a", "?", "Thì ta đi!", "?", "THÌ... TA, ăn!"),
        _row("b", "?", "Hú!"),
        _row("c", "?", "I don't know", language="en"),
        _row("d", "?", "GRÀ!", language=None),
    ]
    assert variety.openings(rows) == {
        "vi": Opening("thì ta", 2, 3),
        "en": Opening("i don't", 1, 1),
        "none": Opening("grà", 1, 1),
    }
    assert variety.openings([]) == {}


def test_of_two_equally_frequent_openings_the_first_in_the_alphabet_is_named() -> None:
    assert variety.openings([_row("a", "?", "Ba con"), _row("b", "?", "An ơi")])["vi"].words == "an ơi"


def test_near_pairs_name_both_and_their_score_and_ignore_case() -> None:
    rows = [
        _row("a", "Mưa à?", "Suối hát to hơn ngươi!"),
        _row("b", "Nắng à?", "SUỐI HÁT TO HƠN NGƯƠI!"),
        _row("c", "?", "Hòn đá này ngồi ở đây ngàn năm rồi."),
    ]
    (pair,) = variety.near_replies(rows, 85)
    assert (pair.score, pair.ids) == (100.0, ("a", "b"))
    assert variety.near_samples(rows, 95) == [], "their questions differ"
    quotes = [row | {"kind": "quote"} for row in rows]
    assert len(variety.near_samples(quotes, 95)) == 1, "a quote's prompt says nothing"


def test_the_same_seed_draws_the_same_rows_in_any_order() -> None:
    rows = [_row(str(i), "?", "!", kind="quote") for i in range(50)]
    drawn = variety.pick(rows, 10, seed=3)
    assert drawn == variety.pick(rows[::-1], 10, seed=3)
    assert drawn != variety.pick(rows, 10, seed=4)
    assert [len(rows) for rows in drawn.values()] == [0, 10, 0, 0]


@pytest.fixture(scope="module")
def persona_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    write(Folders(root).export, [*SAMPLES, NEAR])
    (root / "persona.toml").write_bytes((ROOT / "persona.toml").read_bytes())
    return root / "persona.toml"


def _run(persona_file: Path, *options: str) -> str:
    run = CliRunner().invoke(dataset, ["stats", *options, "--persona", str(persona_file)], catch_exceptions=False)
    assert run.exit_code == 0, run.output
    return run.output


def test_stats_prints_counts_openings_near_duplicates_and_samples(persona_file: Path) -> None:
    text = _run(persona_file, "--samples", "10")
    for line in (
        "Conversations                2       1       3   60.0%",
        "All                          4       1       5",
        "of these multi-turn          1       0       1   20.0%",
        "in vi                        3       1       4   80.0%",
        "opening words     vi: 40.0% of 5 replies begin with `cây nào` (2), the most frequent two words",
        "near-duplicates   1 pairs of replies at fuzz.ratio 85 or more",
        "near-duplicates   1 pairs of samples at fuzz.ratio 85 or more",
        "Conversations: 3 at random (seed 0)",
        "    Bạn: Cái diều mắc trên cây kìa.",
        "    Inosuke: Bells ring when I nod!",
    ):
        assert line in text.splitlines(), text


def test_stats_as_json(persona_file: Path) -> None:
    found = json.loads(_run(persona_file, "--json", "--threshold", "99"))
    assert found["openings"]["vi"] == {"words": "cây nào", "count": 2, "replies": 5, "share": 0.4}
    assert (found["near_replies"], found["near_samples"], found["samples"]) == ([], [], {})


def test_stats_of_a_missing_version_lists_the_existing_ones(persona_file: Path) -> None:
    run = CliRunner().invoke(dataset, ["stats", "v9", "--persona", str(persona_file)])
    assert run.exit_code != 0 and "`v9` is not a version or a tag. Expected one of:" in str(run.exception)
