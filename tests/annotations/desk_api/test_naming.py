"""A speaker named at the desk, applied to the scene by the routes, and undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annotations.signing import sign
from annotations.store.review_store import ReviewStore
from curation.folders import Folders
from curation.record import Message, Sample, Source, sample_id
from curation.review.queue import QueueItem, write_queue
from tests.annotations.ui.stage_client import StageClient

PERSONA = 'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n'


def scene(number: int, place: int, line: str, label: str = "NAM 1") -> QueueItem:
    turns = (Message("user", line, label), Message("assistant", f"Ta đi trước, lần {place}!"))
    source = Source(path="tap-1.srt", sha256="0" * 64, locator=f"scene {number} · cue {place}", importer="srt")
    made = Sample(
        id=sample_id("conversation", turns),
        kind="conversation",
        messages=turns,
        language="vi",
        topic=None,
        source=source,
    )
    return QueueItem(made)


ITEMS = [
    scene(1, 1, "Đi thôi!"),
    scene(1, 5, "Đợi đã!"),
    scene(1, 9, "Nhanh lên!"),
    scene(1, 12, "Ai đó?", "NỮ 2"),
    scene(2, 40, "Cứu với!"),
]
ONE, APPROVED, OPEN, OTHER, NEXT_SCENE = (item.sample.id for item in ITEMS)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "persona.toml").write_text(PERSONA, encoding="utf-8")
    monkeypatch.setenv("REVIEW_PERSONA", str(tmp_path / "persona.toml"))
    monkeypatch.delenv("REVIEW_DB", raising=False)
    folders = Folders(tmp_path)
    write_queue(ITEMS, folders.queue)
    opened = ReviewStore(f"sqlite:///{folders.datasets / 'review.db'}")
    opened.queue.load(ITEMS)
    yield opened
    opened.close()


def client(store: ReviewStore, who: str = "An") -> StageClient:
    store.people.add(who)
    return StageClient({"token": sign(store, who), "language": "en", "filters": {}, "sample": ONE})


def names(store: ReviewStore) -> dict[str, str | None]:
    return {one: store.queue.item(one).messages[0].name for one in (ONE, APPROVED, OPEN, OTHER, NEXT_SCENE)}


def test_a_name_is_shown_first_then_applied_to_the_other_samples_of_the_scene_and_undone(store) -> None:
    store.people.add("Bình")
    store.decide(APPROVED, "Bình", "approve", revision=0)
    an, before = client(store), names(store)
    body: dict[str, Any] = {"sample": ONE, "turn": 0, "name": " Tanjiro "}
    seen = an.good("POST", "name", body)
    assert (seen["rewrites"], seen["drafts"], seen["refused"]) == (1, 1, 0)
    assert set(seen["ids"]) == {APPROVED, OPEN}
    assert "NAM 1 → Tanjiro" in seen["html"] and names(store) == before
    done = an.good("POST", "name", body | {"only": seen["ids"]})
    assert (done["rewritten"], list(done["drafts"])) == (1, [OPEN])
    assert names(store) == before | {APPROVED: "Tanjiro"}
    assert store.queue.item(OPEN).status == "pending"
    assert store.drafts.get(OPEN, "An").messages[0].name == "Tanjiro"
    assert store.drafts.get(ONE, "An") is None, "the sample itself is what the editor has open"
    undone = an.good("POST", "unname", {key: done[key] for key in ("batch", "sample", "drafts")})
    assert set(undone["changed"]) == {APPROVED, OPEN}
    assert names(store) == before and store.drafts.get(OPEN, "An") is None
    assert store.queue.item(APPROVED).status == "approved"
    again = an.good("POST", "unname", {key: done[key] for key in ("batch", "sample", "drafts")})
    assert again["changed"] == []


def test_an_undo_leaves_a_draft_that_was_worked_on_and_others_batches(store) -> None:
    an = client(store)
    body: dict[str, Any] = {"sample": ONE, "turn": 0, "name": "Tanjiro"}
    done = an.good("POST", "name", body | {"only": an.good("POST", "name", body)["ids"]})
    worked = (Message("user", "Đợi đã!", "Tanjiro"), Message("assistant", "Ta không đợi!"))
    store.drafts.save(OPEN, "An", 0, worked)
    undone = an.good("POST", "unname", {key: done[key] for key in ("batch", "sample", "drafts")})
    assert undone["changed"] == [APPROVED]
    assert store.drafts.get(OPEN, "An").messages == worked


def test_only_what_was_shown_is_changed(store) -> None:
    an = client(store)
    done = an.good("POST", "name", {"sample": ONE, "turn": 0, "name": "Tanjiro", "only": [OPEN, NEXT_SCENE]})
    assert (done["rewritten"], list(done["drafts"])) == (0, [OPEN])
    assert store.drafts.get(APPROVED, "An") is None


def test_no_name_and_no_such_turn_are_refused_in_words(store) -> None:
    an = client(store)
    for change, words in (({"name": " … "}, "at least one letter"), ({"turn": 7}, "no turn 8")):
        answer = an.ask("POST", "name", {"sample": ONE, "turn": 0, "name": "Tanjiro"} | change)
        assert (answer.status_code, answer.json()["refused"]) == (422, "bad")
        assert words in answer.json()["message"]
