"""Preferences outside this project: whose rights a rejected reply has, what trl reads, and what is measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.export import exported_rows
from curation.folders import Folders
from curation.hub import rights
from curation.persona import load_persona
from curation.preferences.gather import Material, gather
from curation.preferences.opinions import Opinions, Side
from curation.record import Message, Sample
from curation.review.decisions import Log, read_log, write_log
from curation.review.events import Decision
from curation.review.queue import read_queue
from curation.review.states import fold
from inosuke import cli
from tests.curation.conftest import Publish
from tests.curation.pipeline.test_stages import ROWS, jsonl, verdict
from tests.tools.exports import PERSONA_FILE, sample
from tests.tools.hub import FakeHub
from tests.tools.tokenizers import chatml_tokenizer

ASKED, SAID, BETTER = "Con quạ của cậu bay đâu rồi?", "Con quạ nó bay lung tung.", "Nó đi kiếm ăn, lát ta gọi về!"
NEW = "Viết lại cho ra chất rừng núi, gầm lên một tiếng!"


def dataset(root: Path) -> tuple[dict[str, Any], Path]:
    run = CliRunner().invoke(cli, ["dataset", "--json", "--persona", str(root / "persona.toml")])
    assert run.exit_code == 0, run.output
    report = json.loads(run.stdout)
    return report, Path(report["path"])


@pytest.fixture
def export(project: Callable[..., Path]) -> Path:
    """Two pairs: a handwritten line that was rewritten, and one whose rejected reply is a transcript's (private)."""
    own = {"instruction": ASKED, "input": "", "output": BETTER}
    entry = 'path = "datasets/sources/transcripts"\nrights = '
    persona = PERSONA_FILE.read_text(encoding="utf-8")
    assert f'{entry}"own"' in persona
    root = project(
        {"handwritten/a.jsonl": jsonl(*ROWS, own), "transcripts/made.jsonl": jsonl(own | {"output": SAID})},
        persona=persona.replace(f'{entry}"own"', f'{entry}"private"'),
    )
    dataset(root)
    found = {item.sample.replies[-1]: item.sample for item in read_queue(Folders(root).queue)}
    known = json.loads(jsonl(ROWS[0]).splitlines()[0])["output"]
    line = next(s for reply, s in found.items() if reply == known)
    log = read_log(Folders(root).log)
    new = verdict("a", line.id, "rewrite", (*line.messages[:-1], Message("assistant", NEW)))
    refused = verdict("b", found[SAID].id, "reject", reason="wrong_voice")
    write_log(Folders(root).log, Log(decisions=(*log.decisions, new, refused)))
    report, folder = dataset(root)
    assert report["preferences"] == {"rewrite": 1, "approved_later": 1}, report
    assert sum(report["labels"].values()) >= 2
    return folder


def pairs(rows: exported_rows.Rows) -> dict[str, Any]:
    return {row["origin"]: row for side in rows.preferences.values() for row in side}


def test_a_rejected_reply_of_a_private_source_is_not_public_by_way_of_a_pair(export: Path) -> None:
    whole = exported_rows.read(export)
    both = pairs(whole)
    later = both["approved_later"]
    assert later["rights"] in rights.PUBLISHABLE and later["rejected_rights"] not in rights.PUBLISHABLE
    assert later["rejected_source"] == "datasets/sources/transcripts/made.jsonl"
    assert both["rewrite"]["rejected_source"] is None
    content, _ = rights.public(whole)
    assert set(pairs(content)) == {"rewrite"}
    replies = [row["completion"][0]["content"] for side in content.labels.values() for row in side]
    assert NEW in replies and SAID not in replies


@pytest.mark.slow
def test_a_public_repository_gets_the_pairs_that_may_be_public_without_local_names(
    export: Path, hub: FakeHub, send: Publish
) -> None:
    send(export, "writer/lines", yes=True)
    files = hub["writer/lines"].head.files
    published = [line for name in files if name.startswith("jsonl/preferences") for line in files[name].splitlines()]
    assert [json.loads(line)["chosen"][0]["content"] for line in published] == [NEW]
    assert not [name for name, content in files.items() if SAID.encode() in content]
    assert b"datasets/sources" not in b"".join(published)
    assert "config_name: preferences" in files["README.md"].decode()


@pytest.mark.slow
def test_trl_reads_pairs_and_labels_as_conversations(export: Path, tmp_path: Path) -> None:
    from trl.data_utils import is_conversational, maybe_apply_chat_template

    from datasets import load_dataset

    tokenizer = chatml_tokenizer()
    for config, keys in (("preferences", ("chosen", "rejected")), ("labels", ("completion",))):
        loaded = load_dataset(str(export), config, cache_dir=str(tmp_path))
        for row in (row for side in loaded.values() for row in side):
            assert is_conversational(row)
            text = maybe_apply_chat_template(row, tokenizer)
            assert row["prompt"][-1]["content"] in text["prompt"]
            assert all(text[key].startswith(row[key][0]["content"]) for key in keys)
    assert "preferences" not in (export / "dataset_info.json").read_text(encoding="utf-8"), "see the design"


# ---------------------------------------------------------------- what is measured


def opinions(samples: Sequence[Sample], events: Sequence[Decision], side: dict[str, Side]) -> Opinions:
    material = Material(
        samples=samples, approved=[], states=fold(events), decisions=events, votes=[], side=side, held_out=[],
        choices_file="datasets/choices.jsonl",
    )  # fmt: skip
    return gather(material, load_persona(PERSONA_FILE))


def test_a_reply_that_an_evaluated_pair_rejects_is_not_trained_against() -> None:
    one, other = sample("Cái diều đâu?", SAID), sample("Trời sắp mưa chưa thế?", SAID.replace(".", "!"))
    events = [
        verdict("a", one.id, "rewrite", (one.messages[0], Message("assistant", "Mắc trên ngọn tre, ta leo ngay!"))),
        verdict("b", other.id, "rewrite", (other.messages[0], Message("assistant", "Mây đen kéo tới, chạy mau!"))),
    ]
    apart = opinions([one, other], events, {one.id: "train", other.id: "train"})
    assert [pair.side for pair in apart.pairs] == ["train", "train"]
    found = opinions([one, other], events, {one.id: "eval", other.id: "train"})
    assert [(pair.sample.id, pair.side) for pair in found.pairs] == [(one.id, "eval")]
    assert found.set_aside["near_eval"] >= 1
