"""The desk's routes: who may ask, what is refused and how, and that a request may be sent twice."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from annotations.signing import sign
from annotations.store.review_store import ReviewStore
from annotations.ui import stage_files
from curation.folders import Folders
from curation.record import Message, messages_to_json
from curation.review.queue import write_queue
from tests.annotations.conftest import make_item
from tests.annotations.ui.stage_client import StageClient

PERSONA = 'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n'
BETTER = (Message("user", "Đi đâu đấy?"), Message("assistant", "Lên núi! Tránh ra!"))
ROUTES = [
    ("POST", "open"),
    ("POST", "more"),
    ("POST", "keep"),
    ("POST", "part"),
    ("POST", "progress"),
    ("POST", "verdict"),
    ("POST", "cluster"),
    ("POST", "undo"),
    ("POST", "name"),
    ("POST", "unname"),
    ("POST", "suggest"),
    ("PUT", "draft"),
    ("DELETE", "draft"),
    ("POST", "check"),
]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "persona.toml").write_text(PERSONA, encoding="utf-8")
    monkeypatch.setenv("REVIEW_PERSONA", str(tmp_path / "persona.toml"))
    monkeypatch.delenv("REVIEW_DB", raising=False)
    folders = Folders(tmp_path)
    items = [make_item(n) for n in range(8)]
    write_queue(items, folders.queue)
    opened = ReviewStore(f"sqlite:///{folders.datasets / 'review.db'}")
    opened.queue.load(items)
    yield opened
    opened.close()


def client(store: ReviewStore, who: str = "An", **data: Any) -> StageClient:
    store.people.add(who)
    given = {"token": sign(store, who), "language": "en", "filters": {}, "sample": None}
    return StageClient(given | data)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_route_answers_without_a_token_that_counts(store, method, path):
    an = client(store)
    unknown = sign(store, "a person who was never added")
    for token in ("", "An", unknown, an.data["token"][:-3] + "abc"):
        answer = an.ask(method, path, {}, token=token)
        assert (answer.status_code, answer.json()["refused"]) == (401, "signed_out")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_form_of_another_site_is_refused_before_anything_is_read(store, method, path):
    an = client(store)
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        headers = {"X-Desk-Token": an.data["token"], "Content-Type": kind}
        assert an.http.request(method, f"/desk/{path}", content=b"{}", headers=headers).status_code == 415


def test_a_token_of_a_name_does_not_count_where_passwords_are_asked_for(store):
    an = client(store)
    an.http = StageClient({**an.data, "token": _with_password(store)}, "password").http
    assert an.ask("POST", "progress", {}).status_code == 401


def _with_password(store: ReviewStore) -> str:
    store.people.add("Minh")
    store.people.set_password("Minh", "một con lợn rừng")
    return sign(store, "Minh", "password")


def test_a_request_that_a_proxy_passed_on_is_refused_where_a_name_is_enough(store):
    an = client(store)
    headers = {"X-Desk-Token": an.data["token"], "X-Forwarded-For": "10.0.0.7"}
    assert an.http.post("/desk/progress", json={}, headers=headers).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"event_id": "short"},
        {"verdict": "undo"},
        {"seen": "x"},
        {"surprise": 1},
        {"verdict": "rewrite"},
        {"verdict": "rewrite", "messages": ()},
        {"verdict": "rewrite", "messages": (Message("nobody", "x"),)},  # type: ignore[arg-type]
    ],
)
def test_a_verdict_that_contradicts_itself_is_refused_in_words(store, change):
    an = client(store)
    answer = an.judge(**({"verdict": "approve"} | change))
    assert (answer.status_code, answer.json()["refused"]) == (422, "bad")
    assert len(answer.json()["message"]) > 20
    assert store.log.events() == []


@pytest.mark.parametrize("verdict", ["approve", "reject", "rewrite", "skip", "note"])
def test_a_verdict_that_is_sent_again_is_recorded_once(store, verdict):
    an = client(store)
    one, event = an.item, uuid.uuid4().hex
    messages = BETTER if verdict == "rewrite" else None
    for _ in range(3):
        an.item = one
        answer = an.judge(verdict, "hỏi lại" if verdict == "note" else "", messages, event_id=event)
        assert (answer.status_code, answer.json()["recorded"]) == (200, event)
    assert [e.id for e in store.log.history(one["id"])] == [event]


def test_an_undo_that_is_sent_again_undoes_once(store):
    an = client(store)
    first = an.item["id"]
    an.judge("approve", event_id="a" * 32)
    second = an.item["id"]
    an.judge("approve", event_id="b" * 32)
    for _ in range(2):
        assert an.undo(target="b" * 32, sample=second)["item"]["id"] == second
    assert [store.queue.item(one).status for one in (first, second)] == ["approved", "pending"]


def test_the_undo_of_another_annotator_s_verdict_is_refused(store):
    an = client(store)
    one = an.item["id"]
    an.judge("approve", event_id="a" * 32)
    other = client(store, "Bình")
    assert other.ask("POST", "undo", {"target": "a" * 32, "sample": one}).json()["refused"] == "bad"
    assert store.queue.item(one).status == "approved"


def test_a_batch_that_is_sent_again_makes_no_second_one(store):
    an = client(store)
    members = [{"id": make_item(n).sample.id, "revision": 0, "seen": 0} for n in range(3)]
    body = {"batch": "c" * 32, "verdict": "reject", "keep": members[0]["id"], "members": members}
    an.good("POST", "cluster", body)
    an.good("POST", "cluster", body)
    assert len(store.log.events()) == 3
    assert [store.queue.item(m["id"]).status for m in members] == ["approved", "rejected", "rejected"]


def test_samples_are_leased_ahead_in_order_and_released(store):
    an = client(store)
    ahead = an.open(sample=an.item["id"], want=3)["ahead"]
    assert [item["id"] for item in ahead] == [make_item(n).sample.id for n in (1, 2, 3)]
    assert client(store, "Bình").item["id"] == make_item(4).sample.id
    an.good("POST", "keep", {"samples": [an.item["id"]], "release": [item["id"] for item in ahead]})
    assert client(store, "Chi").item["id"] == make_item(1).sample.id


def test_a_page_that_is_opened_again_comes_back_to_its_sample_not_to_one_ahead(store):
    an = client(store)
    an.judge("approve")
    an.open(sample=an.item["id"], want=3)
    assert client(store).item["id"] == make_item(1).sample.id


def test_two_drafts_of_one_annotator_do_not_overwrite_each_other(store):
    an, other = client(store), client(store)
    assert an.item["id"] == other.item["id"]
    time = an.draft(BETTER).json()["time"]
    theirs = (BETTER[0], Message("assistant", "Bản khác."))
    refused = other.draft(theirs)
    assert (refused.status_code, refused.json()["refused"]) == (409, "draft")
    assert refused.json()["theirs"]["messages"] == messages_to_json(BETTER)
    assert other.draft(theirs, known=time).status_code == 200
    assert an.draft(BETTER, known=time).status_code == 409
    assert an.draft(BETTER, force=True).status_code == 200


def test_a_rewrite_does_not_end_a_draft_that_its_page_has_not_seen(store):
    an, other = client(store), client(store)
    one = an.item["id"]
    theirs = (BETTER[0], Message("assistant", "Bản ở thẻ khác."))
    other.draft(theirs)
    assert an.judge("rewrite", messages=BETTER).status_code == 200
    assert store.drafts.get(one, "An").messages == theirs


def test_the_files_have_their_types_and_an_old_address_is_gone(store):
    an = client(store)
    for name, kind in (("stage.js", "text/javascript; charset=utf-8"), ("stage.css", "text/css; charset=utf-8")):
        answer = an.http.get(f"/desk/static/{stage_files.version()}/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert "immutable" in answer.headers["cache-control"]
    for path in (
        "0000000000000000/stage.js",
        f"{stage_files.version()}/../stage_files.py",
        f"{stage_files.version()}/x.js",
    ):
        assert an.http.get(f"/desk/static/{path}").status_code == 404
