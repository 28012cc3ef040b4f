"""Preferences and labels, through `inosuke dataset`: where each comes from, what is set aside, and on which side."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.contracts.manifest import read_manifest
from curation.contracts.preferences import read_labels, read_preferences
from curation.folders import Folders
from curation.record import Message
from curation.review.decisions import read_log, write_log
from curation.review.events import Decision
from curation.review.queue import read_queue
from inosuke import cli
from tests.curation.pipeline.test_stages import ROWS, jsonl, verdict

Project = Callable[..., Path]
ASKED = ["Cậu có thích tắm suối nước nóng không?", "Con quạ của cậu bay đâu rồi?", "Ai dạy cậu cầm kiếm hai tay thế?"]
SAID = ["Tôi rất thích tắm suối.", "Con quạ nó bay lung tung.", "Không có ai dạy tôi cả đâu."]
BETTER = ["Suối hả? Ta nhảy ùm xuống trước cho coi!", "Nó đi kiếm ăn, lát nữa ta gọi là về!", "Rừng dạy ta chứ ai!"]
MADE = [{"instruction": p, "input": "", "output": r} for p, r in zip(ASKED, SAID, strict=True)]


def dataset(root: Path) -> tuple[dict[str, Any], Path]:
    run = CliRunner().invoke(cli, ["dataset", "--json", "--persona", str(root / "persona.toml")])
    assert run.exit_code == 0, run.output
    report = json.loads(run.stdout)
    return report, Path(report["path"])


def ids(root: Path) -> dict[str, str]:
    """Return the id of each sample by its last reply."""
    return {item.sample.replies[-1]: item.sample.id for item in read_queue(Folders(root).queue)}


def judged(root: Path, *events: Decision) -> None:
    log = read_log(Folders(root).log)
    write_log(Folders(root).log, replace(log, decisions=(*log.decisions, *events)))


def turns(*texts: str) -> tuple[Message, ...]:
    return tuple(Message("assistant" if n % 2 else "user", text) for n, text in enumerate(texts))


@pytest.fixture
def root(project: Project) -> Path:
    """Twelve trusted rows, and three replies of a model that wait for an annotator."""
    root = project({"handwritten/conversations.vi.jsonl": jsonl(*ROWS), "transcripts/made.jsonl": jsonl(*MADE)})
    dataset(root)
    return root


def pairs(export: Path) -> set[tuple[str, str, str, str]]:
    found = [p for side in ("train", "eval") for p in read_preferences(export, side)]
    return {(p.prompt[-1].content, p.chosen, p.rejected, p.origin) for p in found}


def labels(export: Path) -> set[tuple[str, bool, str]]:
    found = [label for side in ("train", "eval") for label in read_labels(export, side)]
    return {(label.completion, label.label, label.origin) for label in found}


def test_without_verdicts_there_are_none_and_no_files(root: Path) -> None:
    report, export = dataset(root)
    assert (report["preferences"], report["preferences_set_aside"]) == ({}, {})
    assert not list(export.rglob("preferences*")) and not list(export.rglob("labels*"))
    assert "preferences" not in (export / "README.md").read_text(encoding="utf-8")
    assert (read_preferences(export, "train"), read_labels(export, "train")) == ((), ())


def test_a_rewrite_is_preferred_to_what_it_replaced(root: Path) -> None:
    found = ids(root)
    judged(root, verdict("a", found[SAID[0]], "rewrite", turns(ASKED[0], BETTER[0])))
    report, export = dataset(root)
    assert report["preferences"] == {"rewrite": 1}
    assert pairs(export) == {(ASKED[0], BETTER[0], SAID[0], "rewrite")}
    assert labels(export) == {(BETTER[0], True, "approval"), (SAID[0], False, "rewrite")}
    about = read_manifest(export).preferences
    assert sum(about.pairs.values()) == 1 and sum(about.labels.values()) == 2 and about.origins == {"rewrite": 1}


def test_an_undone_rewrite_and_one_that_was_rejected_later_are_no_preferences(root: Path) -> None:
    found = ids(root)
    rewrite = verdict("a", found[SAID[0]], "rewrite", turns(ASKED[0], BETTER[0]))
    undo = replace(verdict("b", found[SAID[0]], "undo", reason="a" * 32), time="2026-01-02T00:00:00.000+00:00")
    other = verdict("c", found[SAID[1]], "rewrite", turns(ASKED[1], BETTER[1]))
    refused = replace(
        verdict("d", found[SAID[1]], "reject", reason="wrong_voice"), revision=1, time="2026-01-02T00:00:00.000+00:00"
    )
    judged(root, rewrite, undo, other, refused)
    report, export = dataset(root)
    assert report["preferences"] == {} and pairs(export) == set()


def test_of_a_dialogue_each_turn_that_was_written_anew_is_a_pair(project: Project) -> None:
    talk = turns(ASKED[0], SAID[0], ASKED[1], SAID[1])
    row = {"messages": [{"role": m.role, "content": m.content} for m in talk]}
    root = project({"handwritten/a.jsonl": jsonl(*ROWS), "transcripts/talk.jsonl": jsonl(row)})
    dataset(root)
    new = turns(ASKED[0], BETTER[0], ASKED[1], BETTER[1])
    judged(root, verdict("a", ids(root)[SAID[1]], "rewrite", new))
    _, export = dataset(root)
    assert pairs(export) == {
        (ASKED[0], BETTER[0], SAID[0], "rewrite"),
        (ASKED[1], BETTER[1], SAID[1], "rewrite"),
    }
    (second,) = [p for side in ("train", "eval") for p in read_preferences(export, side) if p.chosen == BETTER[1]]
    assert [m.content for m in second.prompt] == [ASKED[0], BETTER[0], ASKED[1]]


def test_where_the_question_was_written_anew_too_there_is_no_pair(root: Path) -> None:
    judged(root, verdict("a", ids(root)[SAID[0]], "rewrite", turns("Cậu thích gì nhất trên đời?", BETTER[0])))
    report, export = dataset(root)
    assert pairs(export) == set() and report["preferences_set_aside"] == {"prompt_changed": 1}


@pytest.mark.parametrize(
    ("reason", "counts"),
    [
        ("wrong_voice", True),
        ("no_sense", True),
        ("wrong_speaker", False),
        ("near_duplicate", False),
        ("harmful", False),
    ],
)
def test_a_rejection_counts_where_it_is_about_how_he_talks(project: Project, reason: str, counts: bool) -> None:
    again = {"instruction": f"Hỏi: Inosuke ơi, {ASKED[0][0].lower()}{ASKED[0][1:]}", "input": "", "output": BETTER[0]}
    root = project({"handwritten/a.jsonl": jsonl(*ROWS, again), "transcripts/made.jsonl": jsonl(*MADE)})
    dataset(root)
    judged(root, verdict("a", ids(root)[SAID[0]], "reject", reason=reason))
    report, export = dataset(root)
    if counts:
        assert pairs(export) == {(again["instruction"].removeprefix("Hỏi: "), BETTER[0], SAID[0], "approved_later")}
        assert (SAID[0], False, "rejection") in labels(export)
    else:
        assert (pairs(export), labels(export)) == (set(), set())
        assert report["preferences_set_aside"] == {"other_reason": 1}


def test_a_majority_of_votes_is_a_pair_and_one_that_turns_a_rewrite_round_sets_both_aside(root: Path) -> None:
    found = ids(root)
    judged(root, verdict("a", found[SAID[0]], "rewrite", turns(ASKED[0], BETTER[0])))
    vote = {
        "type": "vote", "time": "2026-01-03T00:00:00.000+00:00", "first": "a", "annotator": "mai",
        "prompt": [{"role": "user", "content": ASKED[2]}], "pair": "p1", "id": "v1", "choice": "b",
        "a": {"text": SAID[2], "from": "base"}, "b": {"text": BETTER[2], "from": "adapter"},
    }  # fmt: skip
    turned = vote | {
        "id": "v2", "pair": "p2", "choice": "a", "prompt": [{"role": "user", "content": ASKED[0]}],
        "a": {"text": SAID[0], "from": "imported"}, "b": {"text": BETTER[0], "from": "approved"},
    }  # fmt: skip
    Folders(root).choices.write_text(jsonl(vote), encoding="utf-8")
    _, export = dataset(root)
    assert (ASKED[2], BETTER[2], SAID[2], "vote") in pairs(export) and len(pairs(export)) == 2
    Folders(root).choices.write_text(jsonl(vote, turned), encoding="utf-8")
    report, export = dataset(root)
    assert pairs(export) == {(ASKED[2], BETTER[2], SAID[2], "vote")}
    assert report["preferences_set_aside"] == {"contradicted": 2}


def feedback(turn: str, rating: str | None, better: str | None, asked: str, said: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    return {"conversation": "c", "turn": turn, "rating": rating, "better": better, "messages": messages}


def test_a_visitors_better_answer_and_thumbs_count_once_an_annotator_has_agreed(project: Project) -> None:
    rows = [
        feedback("t1", "down", BETTER[0], ASKED[0], SAID[0]),
        feedback("t2", "up", None, ASKED[1], BETTER[1]),
        feedback("t3", "down", None, ASKED[2], SAID[2]),
    ]
    root = project({"handwritten/a.jsonl": jsonl(*ROWS), "transcripts/feedback.jsonl": jsonl(*rows)})
    _, export = dataset(root)
    assert (pairs(export), labels(export)) == (set(), set())  # nobody has looked at them yet
    found = ids(root)
    judged(
        root,
        verdict("a", found[BETTER[0]], "approve"),
        verdict("b", found[BETTER[1]], "approve"),
        verdict("c", found[SAID[2]], "reject", reason="wrong_voice"),
    )
    _, export = dataset(root)
    assert pairs(export) == {(ASKED[0], BETTER[0], SAID[0], "better_answer")}
    assert labels(export) == {
        (BETTER[0], True, "approval"),
        (BETTER[1], True, "thumb"),
        (SAID[2], False, "thumb"),
    }


def test_a_better_answer_is_kept_where_the_reply_that_it_replaces_has_lost_letters(project: Project) -> None:
    rows = [feedback("t1", "down", BETTER[0], ASKED[0], "Ta kh\ufffdng biết!")]
    root = project({"handwritten/a.jsonl": jsonl(*ROWS), "transcripts/feedback.jsonl": jsonl(*rows)})
    report, _ = dataset(root)
    assert (report["awaiting_review"], report["rejected"]) == (1, {})


@pytest.mark.parametrize(
    ("said", "written", "why"),
    [
        ("Suối hả?  Ta nhảy xuống!", "Suối hả? Ta nhảy xuống!!", "identical"),
        (SAID[0], "Ừ", "too_short"),
        ("Gọi tôi số 0912345678 nhé.", BETTER[0], "personal_data"),
    ],
)
def test_a_pair_that_teaches_nothing_or_gives_something_away_is_set_aside(
    project: Project, said: str, written: str, why: str
) -> None:
    made = {"instruction": ASKED[0], "input": "", "output": said}
    root = project({"handwritten/a.jsonl": jsonl(*ROWS), "transcripts/made.jsonl": jsonl(made)})
    dataset(root)
    [item] = [i for i in read_queue(Folders(root).queue) if i.sample.prompt == ASKED[0]]
    judged(root, verdict("a", item.sample.id, "rewrite", turns(ASKED[0], written)))
    report, export = dataset(root)
    assert pairs(export) == set() and report["preferences_set_aside"][why] >= 1


def test_what_is_near_an_evaluated_line_is_not_trained_by_way_of_a_pair(root: Path) -> None:
    _, export = dataset(root)
    [evaluated, *_] = [json.loads(line) for line in (export / "jsonl/chat.eval.jsonl").read_text("utf-8").splitlines()]
    known = evaluated["messages"][-1]["content"]
    # What an annotator replaced was almost an evaluated reply: as a rejected one it would be trained against.
    made = MADE[0] | {"output": known.replace("!", " nhé!")}
    (root / "datasets/sources/transcripts/made.jsonl").write_text(jsonl(made), encoding="utf-8")
    dataset(root)
    [item] = [i for i in read_queue(Folders(root).queue) if i.sample.prompt == ASKED[0]]
    judged(root, verdict("a", item.sample.id, "rewrite", turns(ASKED[0], BETTER[0])))
    report, export = dataset(root)
    assert pairs(export) == set() and report["preferences_set_aside"]["near_eval"] >= 1


def test_the_export_loads_with_datasets_and_pandas_and_its_card_says_what_it_is(root: Path) -> None:
    import pandas

    from datasets import load_dataset

    judged(root, verdict("a", ids(root)[SAID[0]], "rewrite", turns(ASKED[0], BETTER[0])))
    _, export = dataset(root)
    loaded = load_dataset(str(export), "preferences")
    [row] = [row for side in loaded.values() for row in side]
    assert (row["prompt"][-1]["content"], row["chosen"][0]["content"], row["rejected"][0]["content"]) == (
        ASKED[0],
        BETTER[0],
        SAID[0],
    )
    assert (row["origin"], row["annotators"], row["source"]) == (
        "rewrite",
        1,
        "datasets/sources/transcripts/made.jsonl",
    )
    assert 0 < row["edit_distance"] < 1 and row["system"]
    assert set(load_dataset(str(export), "labels")) <= {"train", "eval"}
    side = next(iter(loaded))
    assert pandas.read_parquet(export / "preferences" / f"{side}.parquet").shape[0] == 1
    card = (export / "README.md").read_text(encoding="utf-8")
    assert "## What people preferred" in card and "config_name: preferences" in card
