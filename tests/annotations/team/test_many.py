"""One action on many samples: previewed, made as one batch, undone as one, and nothing approved unread."""

from __future__ import annotations

import pytest

from annotations.store.queries import Filters
from annotations.store.review_store import ReviewStore
from annotations.team import many
from annotations.team.search import Replacement
from curation.contracts.manifest import read_manifest
from curation.persona import Persona
from curation.record import Flag, Message
from tests.annotations.conftest import make_item
from tests.annotations.team.conftest import Project, trusted_lines
from tests.annotations.ui.desk_page import open_desk, page, press, sign_in

ITEMS = [make_item(n) for n in range(8)]
IDS = [item.sample.id for item in ITEMS]
TA = Replacement("Ta", "Ông", whole_word=True, only_assistant=True)


@pytest.fixture
def desk(store: ReviewStore) -> ReviewStore:
    store.queue.load([*ITEMS, make_item(9, flags=(Flag("personal_data", "số điện thoại"),))])
    for sample in IDS[:4]:
        store.decide(sample, "An", "approve", revision=0)
    store.decide(IDS[4], "An", "reject", revision=0, reason="no_sense")
    return store


def text(store: ReviewStore, sample: str) -> str:
    return store.queue.item(sample).messages[-1].content


def test_approved_samples_are_rewritten_and_undone_as_one(desk: ReviewStore, persona: Persona) -> None:
    seen = many.preview(desk, persona, "Bình", TA, Filters())
    assert [c.item.id for c in seen.changes] == IDS[:4]
    assert (len(seen.waiting), seen.rejected, seen.refused) == (4, 1, ())
    batch = many.rewrite(desk, "Bình", seen, without=[IDS[2]])
    assert [d.sample_id for d in batch.decisions] == [IDS[0], IDS[1], IDS[3]]
    assert text(desk, IDS[0]) == "Ông leo 0 ngọn rồi! Ngọn nào cũng thua ta!"
    assert text(desk, IDS[2]).startswith("Ta leo 2")
    counts = {"approved": 4, "pending": 4, "rejected": 1}
    assert desk.queue.counts()["conversation"] == counts, "every sample keeps its status"
    assert len(desk.take_back("Bình")) == 3
    assert text(desk, IDS[0]).startswith("Ta leo 0")
    assert desk.queue.counts()["conversation"] == counts


def test_open_samples_become_drafts_at_most_and_no_draft_is_overwritten(desk: ReviewStore, persona: Persona) -> None:
    mine = (Message("user", "Hả?"), Message("assistant", "Của ta!"))
    desk.drafts.save(IDS[5], "Bình", 0, mine)
    seen = many.preview(desk, persona, "Bình", TA, Filters())
    assert many.keep_drafts(desk, "Bình", seen) == 3
    kept, new = desk.drafts.get(IDS[5], "Bình"), desk.drafts.get(IDS[6], "Bình")
    assert kept is not None and kept.messages == mine
    assert new is not None and new.messages[-1].content.startswith("Ông leo 6")
    assert desk.queue.counts()["conversation"]["pending"] == 4
    assert text(desk, IDS[6]).startswith("Ta leo 6")


def test_what_changed_since_the_preview_or_is_open_elsewhere_is_refused_and_named(
    desk: ReviewStore, persona: Persona
) -> None:
    seen = many.preview(desk, persona, "Bình", TA, Filters())
    desk.decide(IDS[0], "An", "rewrite", revision=0, messages=[Message("user", "Hả?"), Message("assistant", "Ta!")])
    desk.decide(IDS[1], "An", "reject", revision=0, reason="other")
    desk.queue.open_item(IDS[2], "Chi")
    batch = many.rewrite(desk, "Bình", seen)
    assert [d.sample_id for d in batch.decisions] == [IDS[3]]
    assert set(batch.refused) == set(IDS[:3])
    assert "Chi has sample" in str(batch.refused[IDS[2]])
    assert desk.queue.item(IDS[1]).status == "rejected"


def test_a_text_that_a_check_forbids_is_refused(desk: ReviewStore, persona: Persona) -> None:
    for put, code in (("Inosuke:", "label_in_reply"), ("", "empty_turn")):
        whole = Replacement(r"^Ta leo 0.*$" if not put else "Ta leo", put, regex=True, only_assistant=True)
        seen = many.preview(desk, persona, "Bình", whole, Filters())
        assert not [c for c in seen.changes if c.item.id == IDS[0]]
        assert code in next(c for c in seen.refused if c.item.id == IDS[0]).forbidden


def test_a_verdict_on_a_whole_filter_is_one_batch(desk: ReviewStore, persona: Persona) -> None:
    chosen = many.selection(desk, persona, "Bình", Filters(), "approve")
    assert [item.id for item in chosen.items] == IDS[5:]
    assert set(chosen.refused.values()) == {"personal_data"}
    assert len(many.judge(desk, "Bình", chosen).decisions) == 3
    assert desk.queue.counts()["conversation"] == {"approved": 7, "pending": 1, "rejected": 1}
    assert len(desk.take_back("Bình")) == 3
    assert desk.queue.counts()["conversation"] == {"approved": 4, "pending": 4, "rejected": 1}


def test_by_the_command(project: Project) -> None:
    project.write("trusted", trusted_lines(6))
    project.write("lines", [("Ngươi đi đâu?", "Ta húc ngã cả ngọn núi này!")])
    project.run("dataset")
    dry = project.run("review", "replace", "húc", "đá", "--status", "all", "--dry-run")
    assert (dry["matches"], dry["replaced"], dry["waiting"]) == (6, 0, 1)
    assert project.run("review", "status")["kinds"]["conversation"] == {"approved": 6, "pending": 1}
    made = project.run("review", "replace", "húc", "đá", "--by", "An", "--only", "assistant")
    assert (made["replaced"], made["refused"]) == (6, {})
    assert "Ta húc ngã" in made["changes"][0]["before"][-1] and "Ta đá ngã" in made["changes"][0]["after"][-1]
    project.run("review", "sync")
    built = project.run("dataset")
    review = read_manifest(project.root / built["path"]).review
    assert (built["approved"], review.seen_by_a_person, review.only_vouched_for_by_the_author) == (6, 0, 6)
    press(open_desk("An"), "Undo")
    store = project.store()
    assert all(item.state.revision == 0 for item in store.queue.listing("", Filters(status="all"), 10))
    store.close()
    bad = project.call("review", "replace", "(", "x", "--regex")
    assert bad.exit_code == 1 and "not a regular expression" in str(bad.exception)


def test_at_the_desk(project: Project) -> None:
    project.write("trusted", trusted_lines(4))
    project.write("lines", [("Ngươi đi đâu?", "Ta lên núi! Đừng có cản!"), ("Ăn gì?", "Cơm cuộn! Mười phần!")])
    project.run("dataset")
    sign_in("An")
    app = open_desk("An", view="many")
    app.text_input(key="replace_find").set_value("Ta")
    app.text_input(key="replace_put").set_value("Ông đây")
    app = press(app, "Preview")
    assert "4 approved samples would be rewritten (4 places)" in page(app)
    assert page(app).count("<ins>") == 4
    first = next(box for box in app.checkbox if str(box.key).startswith("tick replace"))
    first.uncheck()
    app = press(app.run(), "Rewrite 3 samples")
    assert "3 samples decided" in page(app)
    app = press(press(app, "Approve all"), "Yes, approve 2 samples")
    assert project.run("review", "status")["kinds"]["conversation"] == {"approved": 6}
    press(app, "Undo")
    assert project.run("review", "status")["kinds"]["conversation"] == {"approved": 4, "pending": 2}
