"""A suggestion through the desk's route: from the server that `inosuke serve` would be, and without one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from annotations.signing import sign
from annotations.store.review_store import ReviewStore
from annotations.suggest import suggester
from curation.folders import Folders
from curation.record import messages_to_json
from curation.review.queue import write_queue
from tests.annotations.conftest import make_item
from tests.annotations.model_server import model_server
from tests.annotations.ui.stage_client import StageClient

PERSONA = 'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n'
ITEM = make_item(1)


@pytest.fixture
def an(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "persona.toml").write_text(PERSONA, encoding="utf-8")
    monkeypatch.setenv("REVIEW_PERSONA", str(tmp_path / "persona.toml"))
    monkeypatch.delenv("REVIEW_DB", raising=False)
    write_queue([ITEM], Folders(tmp_path).queue)
    store = ReviewStore(f"sqlite:///{Folders(tmp_path).datasets / 'review.db'}")
    store.queue.load([ITEM])
    store.people.add("An")
    yield StageClient({"token": sign(store, "An"), "language": "en", "filters": {}, "sample": None})
    suggester(tmp_path).close()
    store.close()


def answered(an: StageClient, body: dict[str, Any]) -> dict[str, Any]:
    """Ask, and ask again for the state as the stage does, until there is an answer."""
    found = an.good("POST", "suggest", body | {"start": True})
    deadline = time.monotonic() + 120
    while found["status"] in ("loading", "writing") and time.monotonic() < deadline:
        time.sleep(0.1)  # the route never waits
        found = an.good("POST", "suggest", body)
    return found


def test_the_model_suggests_a_reply_and_nothing_is_written(an: StageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with model_server() as url:
        monkeypatch.setenv("INOSUKE_ENGINE", "openai")
        monkeypatch.setenv("INOSUKE_URL", url)
        body = {"messages": messages_to_json(ITEM.sample.messages)}
        assert an.good("POST", "suggest", body)["status"] == "none"
        found = answered(an, body)
    assert (found["status"], found["text"]) == ("ready", f"Ta không sợ! ({ITEM.sample.messages[0].content})")
    an.open(sample=ITEM.sample.id)
    assert an.item["draft"] is None and an.item["revision"] == 0


def test_without_a_model_the_annotator_reads_what_to_do(an: StageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("INOSUKE_ENGINE", "INOSUKE_URL"):
        monkeypatch.delenv(name, raising=False)
    body = {"messages": messages_to_json(ITEM.sample.messages)}
    found = answered(an, body)
    assert (found["status"], found["cause"]) == ("failed", "no_model")
    assert found["message"].startswith("No model is served") and "make train" in found["message"]
    an.data["language"] = "vi"
    assert an.good("POST", "suggest", body)["message"].startswith("Chưa có mô hình nào")


def test_a_dialogue_without_a_line_to_answer_is_refused(an: StageClient) -> None:
    answer = an.ask("POST", "suggest", {"messages": [{"role": "assistant", "content": "Ta!"}], "start": True})
    assert (answer.status_code, answer.json()["refused"]) == (422, "bad")
    assert "no line to answer" in answer.json()["message"]
