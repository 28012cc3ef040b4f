"""Verdicts on pairs in the store, and their way into git and into another clone."""

from __future__ import annotations

import json
from pathlib import Path

from annotations.meaning.pairs import judge, verdicts, withdraw
from annotations.store.review_store import ReviewStore
from annotations.team.books import sync_books
from curation.folders import Folders
from curation.meaning.verdicts import Answer, SameVerdict, Side
from tests.annotations.conftest import Clock

SIDES = (Side(text="Đói quá!", sample="s1"), Side(text="Bụng ta réo rồi!", sample="s2"))


def say(store: ReviewStore, answer: Answer, who: str = "An", verdict_id: str | None = None) -> SameVerdict:
    return judge(store, who, SIDES, answer, group="replies", cosine=0.97, model="e5", verdict_id=verdict_id)


def test_a_verdict_changes_no_sample_and_one_that_is_sent_again_is_there_once(store: ReviewStore, clock: Clock) -> None:
    say(store, "same", verdict_id="a" * 32)
    clock.now += 1
    say(store, "same", verdict_id="a" * 32)
    assert [v.id for v in verdicts(store)] == ["a" * 32]
    assert store.log.events() == []


def test_withdrawing_brings_the_answer_before_back(store: ReviewStore, clock: Clock) -> None:
    say(store, "same")
    clock.now += 1
    say(store, "different", who="Bình")
    clock.now += 1
    newer = say(store, "different")
    clock.now += 1
    assert withdraw(store, "An", newer.id) == newer
    assert [(v.annotator, v.answer) for v in verdicts(store)] == [("An", "same"), ("Bình", "different")]
    assert withdraw(store, "An", "no such id") is None
    assert withdraw(store, "An") is not None
    assert withdraw(store, "An") is None


def test_verdicts_go_to_the_file_in_git_and_two_clones_have_the_union(tmp_path: Path, clock: Clock) -> None:
    roots = [tmp_path / name for name in ("one", "two")]
    stores = []
    for root, who in zip(roots, ("An", "Bình"), strict=True):
        root.mkdir()
        store = ReviewStore(f"sqlite:///{root / 'review.db'}", clock=clock)
        say(store, "same", who)
        stores.append(store)
        sync_books(store, Folders(root))
    files = [Folders(root).same_meaning for root in roots]
    merged = "".join(file.read_text(encoding="utf-8") for file in files)
    later = json.dumps({"id": "x", "time": "2027-01-01", "type": "same_meaning_2"})
    files[0].write_text(merged + later + "\nnot a line\n", encoding="utf-8")
    synced = sync_books(stores[0], Folders(roots[0]))
    assert (synced.to_store, synced.damaged) == (2, 1)
    assert [v.annotator for v in verdicts(stores[0])] == ["An", "Bình"] or len(verdicts(stores[0])) == 2
    lines = files[0].read_text(encoding="utf-8").splitlines()
    assert "not a line" in lines and later in lines
    for store in stores:
        store.close()


def test_a_merge_in_git_keeps_both_sides_of_the_file() -> None:
    attributes = (Path(__file__).parents[3] / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert "datasets/same_meaning.jsonl merge=union" in attributes
