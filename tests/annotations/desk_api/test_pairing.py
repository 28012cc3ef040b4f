"""What the stage asks of neighbours by meaning: the part, a verdict on a pair, and its undo."""

from __future__ import annotations

import re
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from annotations.meaning.pairs import verdicts
from annotations.signing import sign
from annotations.team.gold import GoldStore
from curation.folders import Folders
from curation.review.queue import write_queue
from tests.annotations.meaning.conftest import ITEMS, LINES, PROMPT
from tests.annotations.ui.stage_client import StageClient

ONE, TWO, RAIN, HUNGRY, QUOTE = (item.sample.id for item in ITEMS)
PERSONA = 'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n'


class Opened:
    """An annotator's stage at a desk with a few samples."""

    def __init__(self, store: GoldStore, who: str) -> None:
        store.people.add(who)
        self.store = store
        self.stage = StageClient({"token": sign(store, who), "language": "en", "filters": {}, "sample": ONE})

    def part(self, sample: str = ONE) -> str:
        """Return the part, as the page does: asking again while the model reads."""
        for _ in range(600):
            data = self.stage.good("POST", "part", {"part": "meaning", "sample": sample})
            if not data["wait"]:
                return str(data["html"])
            assert "The model is reading the samples" in data["html"]
            time.sleep(0.1)
        raise AssertionError("the model does not get ready")

    def say(self, answer: str, **body: Any) -> Any:
        asked = {"verdict_id": uuid.uuid4().hex, "sample": ONE, "other": TWO, "answer": answer}
        return self.stage.ask("POST", "same", asked | body)


@pytest.fixture
def opened(desk_folder: Path):
    (desk_folder / "persona.toml").write_text(PERSONA, encoding="utf-8")
    write_queue(ITEMS, Folders(desk_folder).queue)
    store = GoldStore(f"sqlite:///{Folders(desk_folder).datasets / 'review.db'}")
    store.queue.load(ITEMS, stamp="1")
    yield lambda who="An": Opened(store, who)
    store.close()
    st.cache_resource.clear()


def pressed(html: str) -> list[str]:
    return re.findall(r'data-action="(same|different)" data-sample="\w+" aria-pressed="true"', html)


def test_the_part_shows_how_near_by_what_and_where_the_threshold_is_from(opened) -> None:
    html = opened().part()
    assert "Default threshold, cosine 0.985; 0 pairs are judged, and 30 give a threshold of your own." in html
    assert re.search(r"<b>0\.9\d\d</b> by meaning only; letters \d\d%", html)
    assert f'data-action="same" data-sample="{TWO}" aria-pressed="false"' in html
    assert f'data-action="open" data-sample="{TWO}"' in html
    assert RAIN not in html and QUOTE not in html


def test_a_sample_without_neighbours_says_so(opened) -> None:
    assert "No sample is near by meaning (cosine 0.985)." in opened().part(HUNGRY)


def test_a_verdict_is_kept_with_both_texts_decides_nothing_and_is_undone(opened) -> None:
    an = opened()
    an.part()
    answer = an.say("same")
    assert answer.status_code == 200, answer.text
    assert pressed(answer.json()["html"]) == ["same"]
    (kept,) = verdicts(an.store)
    assert (kept.annotator, kept.answer, kept.a.sample, kept.b.sample) == ("An", "same", ONE, TWO)
    assert (kept.a.text, kept.b.text) == (f"{PROMPT}\n{LINES[0]}", f"{PROMPT}\n{LINES[1]}")
    assert 0.9 < kept.cosine < 1 and kept.model.startswith("multilingual-e5-small")
    assert "1 pairs are judged" in answer.json()["html"]
    assert {an.store.queue.item(i).status for i in (ONE, TWO)} == {"pending"}
    assert an.store.log.events() == []
    # From the other sample it is the same pair, and a second answer takes the first one's place.
    assert pressed(an.part(TWO)) == ["same"]
    assert pressed(an.say("different", sample=TWO, other=ONE).json()["html"]) == ["different"]
    newest = verdicts(an.store)[-1]
    undone = an.stage.good("POST", "unsame", {"verdict_id": newest.id, "sample": ONE})
    assert pressed(undone["html"]) == ["same"]
    assert an.stage.ask("POST", "unsame", {"verdict_id": newest.id, "sample": ONE}).status_code == 422


def test_colleagues_answer_each_for_themselves(opened) -> None:
    an, binh = opened(), opened("Bình")
    an.part()
    an.say("same")
    assert pressed(binh.part()) == []
    binh.say("different")
    assert pressed(an.part()) == ["same"]
    assert [(v.annotator, v.answer) for v in verdicts(an.store)] == [("An", "same"), ("Bình", "different")]
    # Not another annotator's to withdraw.
    assert an.stage.ask("POST", "unsame", {"verdict_id": verdicts(an.store)[1].id, "sample": ONE}).status_code == 422


def test_what_is_sent_again_is_recorded_once_and_nonsense_is_refused(opened) -> None:
    an = opened()
    an.part()
    name = uuid.uuid4().hex
    for _ in range(3):
        assert an.say("same", verdict_id=name).status_code == 200
    assert len(verdicts(an.store)) == 1
    for wrong, status in (
        ({"other": ONE}, 422),
        ({"other": "f" * 16}, 404),
        ({"other": QUOTE}, 422),
        ({"answer": "perhaps"}, 422),
        ({"verdict_id": "x"}, 422),
    ):
        refused = an.say("same", **wrong) if "answer" not in wrong else an.say(**wrong)
        assert refused.status_code == status, refused.text
    assert len(verdicts(an.store)) == 1
