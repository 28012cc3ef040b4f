"""The first user's whole corpus through `inosuke dataset`, built once: nothing lost, nothing flagged for nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from curation.commands.dataset import dataset
from tests.conftest import CORPUS, ROOT
from tests.curation.pipeline.test_edited_rows import run, sides
from tests.curation.pipeline.test_languages import CODES

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.slow,
    pytest.mark.skipif(not CORPUS.is_dir(), reason=f"the user's corpus is not at {CORPUS}"),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose corpus is a copy of the user's."""
    root = tmp_path_factory.mktemp("first")
    shutil.copy(ROOT / "persona.toml", root / "persona.toml")
    shutil.copytree(CORPUS, root / "corpus", copy_function=shutil.copyfile)
    return root


@pytest.fixture(scope="module")
def report(root: Path) -> dict[str, Any]:
    return run(root, dataset, "--corpus", str(root / "corpus"))


def test_it_is_imported_with_nothing_lost(report: dict[str, Any]) -> None:
    assert report["imported"] == {"persona": 782, "quote": 1330, "conversation": 6797, "generic_qa": 350}
    assert (report["multi_turn"], report["held_out"], report["rejected"]) == (1551, 5, {})
    assert report["approved"] + report["awaiting_flagged"] + report["duplicates"]["exact"] == 9259
    assert report["approved_on_import"] == {"corpus-author": report["approved"]}
    # What waits: one name in two spellings (Giyu, Giyuu), two typing errors, a quotation without its end, a curse.
    assert report["flagged"]["profanity"] == 1
    assert report["awaiting_review"] == report["awaiting_flagged"]
    assert report["awaiting_flagged"] - report["flagged"]["profanity"] < 40


def test_no_line_is_taken_for_another_language(report: dict[str, Any]) -> None:
    assert report["languages"].keys() == {"vi"}
    assert not report["flagged"].keys() & set(CODES)


def test_rows_edited_in_place_change_no_side(root: Path, report: dict[str, Any], tmp_path: Path) -> None:
    mine = shutil.copytree(root, tmp_path / "mine")
    before = sides(mine)
    quotes = mine / "corpus" / "quotes.json"
    rows = json.loads(quotes.read_text(encoding="utf-8"))
    for row in rows:
        if len(row["output"]) > 60:
            row["output"] = row["output"].rstrip("!.") + " đó!"
    quotes.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    run(mine, dataset, "--corpus", str(mine / "corpus"))
    after = sides(mine)
    moved = [r for r, side in after.items() if before.get(r.removesuffix(" đó!") + "!", side) != side]
    assert len(after) > 9000 and moved == []
