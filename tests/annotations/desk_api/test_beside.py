"""What the routes return beside a sample's text: marks, flags in words, and what a part loads when it is opened."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotations.guidelines import read_guidelines
from annotations.signing import sign
from annotations.store.log_sync import refresh
from annotations.team.gold import GoldStore
from curation.folders import Folders
from curation.persona import load_persona
from curation.record import Flag
from curation.review.queue import QueueItem, write_queue
from tests.annotations.conftest import make_item
from tests.annotations.ui.stage_client import StageClient

PERSONA = 'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n'
POLITE = make_item(
    1,
    prompt="Đi đâu?",
    reply="Dạ, ta <b>xin phép</b> leo núi!",
    flags=(Flag("out_of_character", "Inosuke would not say: dạ, xin phép"),),
    name="Tanjiro",
)


class Project:
    """A project whose desk's routes answer."""

    def __init__(self, root: Path, items: list[QueueItem]) -> None:
        self.root = root
        (root / "persona.toml").write_text(PERSONA, encoding="utf-8")
        write_queue(items, Folders(root).queue)
        self.store = GoldStore(f"sqlite:///{Folders(root).datasets / 'review.db'}")
        self.store.queue.load(items)

    def client(self, who: str = "An", **data: Any) -> StageClient:
        self.store.people.add(who)
        given = {"token": sign(self.store, who), "language": "vi", "filters": {}, "sample": None}
        return StageClient(given | data)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return what makes a project of some samples."""
    monkeypatch.setenv("REVIEW_PERSONA", str(tmp_path / "persona.toml"))
    monkeypatch.delenv("REVIEW_DB", raising=False)
    made: list[Project] = []

    def make(*items: QueueItem) -> Project:
        made.append(Project(tmp_path, list(items)))
        return made[0]

    yield make
    for one in made:
        one.store.close()


def marked(html: str, kind: str) -> list[str]:
    """Return the texts of the marks of a kind."""
    return re.findall(rf'<mark class="[^"]*{kind}[^"]*"[^>]*>([^<]*)</mark>', html)


def beside(client: StageClient, part: str) -> str:
    """Return the HTML of a part beside the open sample."""
    assert client.item is not None
    return next((one["html"] for one in client.item["beside"] if one["part"] == part), "")


def test_the_words_of_a_flag_and_the_hits_of_the_search_are_marked_in_the_text(project) -> None:
    an = project(POLITE).client(filters={"text": "nui tanjiro"})
    turns = an.item["turns"]
    assert marked(turns, "flag") == ["Dạ", "xin phép"]
    assert marked(turns, "hit") == ["Tanjiro", "núi"]
    assert "<b>" not in turns and "&lt;b&gt;" in turns
    for language, detail in (("vi", "Inosuke không nói: dạ, xin phép"), ("en", "Inosuke would not say: dạ, xin phép")):
        an.data["language"] = language
        an.open(sample=POLITE.sample.id)
        assert detail in beside(an, "flags")


def test_a_sample_that_an_undo_brings_back_is_marked_as_before(project) -> None:
    an = project(POLITE).client(filters={"text": "nui"})
    an.judge("approve")
    found = an.undo(filters={"text": "nui"})["item"]
    assert marked(found["turns"], "hit") == ["núi"]


def test_the_near_duplicates_come_with_what_was_decided_on_them(project) -> None:
    pair = [make_item(n, prompt="Sợ gì?", reply=f"Ta không sợ gì {n}!", cluster="c") for n in (1, 2)]
    accent = Flag("diacritics", f"without diacritics: 98.1 like {pair[1].sample.id}")
    alone = make_item(3, prompt="Sợ gì?", reply="Ta khong so gi 2!", flags=(accent,))
    made = project(*pair, alone)
    made.store.people.add("Bình")
    made.store.decide(pair[1].sample.id, "Bình", "reject", revision=0, reason="no_sense")
    an = made.client()
    for item in (pair[0], alone):
        found = an.good("POST", "part", {"part": "twins", "sample": item.sample.id})["html"]
        assert "đã loại · Bình" in found and "Vô nghĩa" in found and "<time datetime=" in found
        an.open(sample=item.sample.id)
        assert an.item["twins"] == 1
    gone = an.ask("POST", "part", {"part": "twins", "sample": "0" * 16})
    assert (gone.status_code, gone.json()["refused"]) == (404, "unknown")


def test_the_verdict_of_a_panel_stays_hidden_in_the_near_duplicates(project) -> None:
    pair = [make_item(n, prompt="Sợ gì?", reply=f"Ta không sợ gì {n}!", cluster="c") for n in (1, 2)]
    made = project(*pair)
    made.store.close()
    made.root.joinpath("persona.toml").write_text(PERSONA + "[review]\noverlap = 1.0\nannotators = 2\n", "utf-8")
    made.store.queue.load(pair)
    refresh(made.store, Folders(made.root), load_persona(made.root / "persona.toml").review)
    binh = made.client("Bình")
    while binh.item["id"] != pair[1].sample.id:
        binh.open(after=binh.item["rank"])
    assert binh.judge("reject", "no_sense").status_code == 200
    found = made.client().good("POST", "part", {"part": "twins", "sample": pair[0].sample.id})["html"]
    assert "Bình" not in found and "Vô nghĩa" not in found


def test_guidelines_come_in_the_language_of_the_page_and_a_verdict_records_their_version(project) -> None:
    made = project(POLITE)
    an = made.client()
    version = read_guidelines(load_persona(made.root / "persona.toml")).version
    for language in ("vi", "en"):
        an.data["language"] = language
        found = an.good("POST", "part", {"part": "guidelines"})["html"]
        assert version in found and ("Câu hỏi duy nhất" in found) == (language == "vi")
    an.judge("approve")
    assert [e.guidelines for e in made.store.log.history(POLITE.sample.id)] == [version]


def test_a_row_has_no_lines_around_it_and_a_cue_of_a_file_that_is_gone_says_so(project) -> None:
    cue = replace(POLITE.sample, source=replace(POLITE.sample.source, path="gone.srt", locator="cue 1 00:00:01.000"))
    row = make_item(2)
    an = project(row, QueueItem(cue)).client()
    an.open(sample=row.sample.id)
    assert an.item["lines"] is False
    an.open(sample=cue.id)
    assert an.item["lines"] is True
    assert "Không tìm thấy tệp gone.srt" in an.good("POST", "part", {"part": "context", "sample": cue.id})["html"]


def test_a_decided_sample_tells_by_whom_when_and_why_and_asks_before_it_is_overruled(project) -> None:
    made = project(POLITE)
    made.store.people.add("Bình")
    made.store.decide(POLITE.sample.id, "Bình", "reject", revision=0, reason="no_sense")
    an = made.client()
    an.open(sample=POLITE.sample.id)
    assert "đã loại · Bình" in an.item["decided"] and "Vô nghĩa" in an.item["decided"]
    assert re.search(r'<time datetime="20[^"]+">20\d\d-\d\d-\d\d \d\d:\d\d UTC</time>', an.item["decided"])
    assert an.item["overrules"] == "Bình đã quyết: đã loại. Bạn có muốn thay quyết định đó?"
    own = made.client("Bình")
    own.open(sample=POLITE.sample.id)
    assert own.item["overrules"] is None


def test_a_cluster_says_which_members_a_colleague_has_judged(project) -> None:
    pair = [make_item(n, prompt="Sợ gì?", reply=f"Ta không sợ gì {n}!", cluster="c") for n in (1, 2)]
    made = project(*pair)
    made.store.people.add("Bình")
    made.store.decide(pair[1].sample.id, "Bình", "approve", revision=0)
    an = made.client()
    an.open(sample=pair[0].sample.id)
    assert {m["id"]: m["by"] for m in an.item["cluster"]} == {pair[0].sample.id: None, pair[1].sample.id: "Bình"}
