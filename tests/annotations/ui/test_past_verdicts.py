"""History, adjudication and the dashboard, through Streamlit's AppTest: what annotators did, and what disagrees."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from curation.folders import Folders
from curation.persona import load_persona
from curation.record import Message
from curation.review.decisions import Decision
from curation.review.queue import write_queue
from tests.annotations.conftest import make_item
from tests.annotations.ui.desk_page import clean, open_desk, page, press
from tests.conftest import ROOT

ITEM = make_item(1)
ONE = ITEM.sample.id
BETTER = (Message("user", "Đi đâu đấy?"), Message("assistant", "Lên núi! Tránh ra!"))
PERSONA = 'name = "Inosuke"\nlanguages = ["vi"]\nuser_labels = ["Bạn"]\nsystem_prompt = "Ngươi là Inosuke."\n'


@pytest.fixture
def store(desk_folder: Path):
    persona = desk_folder / "persona.toml"
    persona.write_text(PERSONA, encoding="utf-8")
    folders = Folders(desk_folder)
    write_queue([ITEM, make_item(2)], folders.queue)
    opened = ReviewStore(f"sqlite:///{desk_folder / 'datasets' / 'review.db'}")
    refresh(opened, folders, load_persona(persona).review)
    yield opened
    opened.close()


def desk(store: ReviewStore, view: str, who: str = "An", role: str = "adjudicator", sample: str = ""):
    store.people.add(who, role)
    return open_desk(who, view=view, sample=sample)


def elsewhere(verdict: str, who: str, **fields: object) -> Decision:
    """Return a verdict that was made in another clone, without sight of any here."""
    made = Decision(
        id=f"from {who}".replace(" ", "-"),
        sample_id=ONE,
        revision=0,
        verdict=verdict,  # type: ignore[arg-type]
        messages=None,
        reason="",
        annotator=who,
        client="streamlit",
        time="2026-01-01T20:30:00.000+00:00",
        after="",
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def test_restoring_the_import_leaves_every_page_of_the_sample_usable(store):
    store.decide(ONE, "Bình", "rewrite", revision=0, messages=BETTER, seen=0)
    press(desk(store, "history", sample=ONE), "Restore this revision")
    assert store.queue.item(ONE).messages == ITEM.sample.messages
    app = desk(store, "history", sample=ONE)
    assert "restored" in page(app)
    assert not app.exception


def test_a_rewrite_that_changes_nothing_says_so_in_the_history(store):
    store.decide(ONE, "Bình", "rewrite", revision=0, messages=ITEM.sample.messages, seen=0)
    assert "The text is the same." in page(desk(store, "history", sample=ONE))


def test_the_same_rewrite_made_in_two_clones_is_nothing_to_settle(store):
    store.decide(ONE, "An", "rewrite", revision=0, messages=BETTER, seen=0)
    store.log.add([elsewhere("rewrite", "Bình", messages=BETTER)])
    app = desk(store, "adjudication")
    assert "There is nothing to settle" in page(app)
    assert "The text is the same." in page(desk(store, "history", sample=ONE))


def test_a_conflict_whose_text_stands_already_is_drawn_and_can_be_settled(store):
    """An rewrote and Chi went back to the import; Bình, elsewhere, rewrote to what An wrote."""
    first = store.decide(ONE, "An", "rewrite", revision=0, messages=BETTER, seen=0)
    shown = store.queue.item(ONE)
    store.decide(ONE, "Chi", "reject", revision=1, seen=shown.seen)
    store.log.add([elsewhere("rewrite", "Bình", messages=BETTER, time="2999-01-01T00:00:00.000+00:00")])
    assert store.queue.item(ONE).state.conflicts == ("from-Bình",)
    app = desk(store, "adjudication", who="Dung")
    text = page(app)
    assert "The text is the same." in text
    assert "Stands now: rejected, by Chi." in text.replace("\\", "")
    press(app, "Follow Bình")
    now = store.queue.item(ONE)
    assert (now.status, now.messages, now.state.conflicts) == ("approved", first.messages, ())
    assert "There is nothing to settle" in page(desk(store, "adjudication", who="Dung"))
    # Following is a verdict of its own: what Bình said stays in the history as Bình's.
    assert [e.verdict for e in store.log.history(ONE)].count("undo") == 0


def test_two_opposite_verdicts_of_two_clones_wait_for_an_adjudicator(store):
    store.decide(ONE, "An", "approve", revision=0, seen=0)
    store.log.add([elsewhere("reject", "Bình", reason="no_sense")])
    app = desk(store, "adjudication", who="Chi", role="annotator")
    assert "made without sight of the verdict that stands" in page(app)
    assert all(b.disabled for b in app.button if b.label.startswith("Follow"))


def test_the_latest_work_shows_the_words_of_the_samples(store):
    store.decide(ONE, "An", "approve", revision=0, seen=0)
    labels = [b.label.replace("\\", "") for b in desk(store, "history").button]
    words = [label for label in labels if "approve" in label]
    assert len(words) == 1
    assert "Ta leo 1 ngọn rồi!" in words[0]
    assert ONE not in words[0]


def test_times_are_those_of_the_annotators_place(store, monkeypatch):
    from streamlit.runtime.context import ContextProxy

    monkeypatch.setattr(ContextProxy, "timezone", "Asia/Ho_Chi_Minh")
    store.log.add([elsewhere("reject", "An", reason="no_sense")])
    assert "2026-01-02 03:30" in page(desk(store, "history", sample=ONE))
    app = clean(desk(store, "dashboard"))
    assert "verdicts" in str(app.dataframe[1].value)
    assert store.statistics.by_day()[0].date == "2026-01-01"


def test_the_dashboard_counts_only_what_stands_and_writes_numbers_as_the_language_does(store):
    store.decide(ONE, "An", "approve", revision=0, seen=0)
    store.undo("An")
    store.decide(ONE, "An", "reject", revision=0)
    assert store.statistics.by_annotator() == {"An": 1}
    assert store.statistics.by_verdict("An") == {"reject": 1}
    app = clean(desk(store, "dashboard"))
    assert {m.label: m.value for m in app.metric}["rejected"] == "1"


def test_the_dashboard_shows_why_samples_were_rejected(store):
    store.decide(ONE, "An", "reject", revision=0, reason="no_sense")
    app = clean(desk(store, "dashboard"))
    assert "Why samples were rejected" in [heading.value for heading in app.subheader]
    assert any(list(table.value.get("reason", [])) == ["Makes no sense"] for table in app.dataframe)


def test_no_view_gives_streamlit_a_body_that_may_be_blank():
    """Streamlit refuses a blank body. ``show_html`` draws words instead; style sheets are never blank."""
    wrong = [
        f"{path.relative_to(ROOT)}: {call}"
        for path in (ROOT / "annotations" / "ui").rglob("*.py")
        for call in re.findall(r"st\.html\(.*", path.read_text(encoding="utf-8"))
        if path.name != "html.py" and re.search(r"diff|\bor\b|\bchanged\b", call) and "if changed" not in call
    ]
    assert wrong == []
