"""The review desk without a browser: Streamlit's AppTest runs the script, and a client stands in for the stage.

The stage's keys and its editor are tested in Chromium: `tests/annotations/ui/`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from annotations.store.log_sync import refresh
from annotations.store.queries import Filters
from annotations.store.review_store import ReviewStore
from annotations.ui.session import plain
from curation.folders import Folders
from curation.persona import load_persona
from curation.record import Flag, Message
from curation.review.decisions import Decision, read_log
from curation.review.queue import write_queue
from tests.annotations.conftest import make_item
from tests.annotations.ui.desk_page import SCRIPT, clean, open_desk, opened, page, press
from tests.annotations.ui.stage_client import StageClient, stage_data

BETTER = (Message("user", "Đi đâu đấy?"), Message("assistant", "Lên núi! Tránh ra!"))


PERSONA = """
name = "Inosuke"
languages = ["vi"]
user_labels = ["Bạn"]
system_prompt = "Ngươi là Inosuke."
[style]
avoid = ["dạ", "thưa"]
"""
BLIND = """
[review]
overlap = 1.0
annotators = 2
"""


class Project:
    """A project with a queue, and an annotator at its desk."""

    def __init__(self, root: Path) -> None:
        self.folders = Folders(root)
        self.persona = root / "persona.toml"
        self.persona.write_text(PERSONA, encoding="utf-8")
        self.store = ReviewStore(f"sqlite:///{root / 'datasets' / 'review.db'}")

    def queue(self, items, review: str = "") -> None:
        """Write the queue, and persona.toml with a ``[review]`` table."""
        self.persona.write_text(PERSONA + review, encoding="utf-8")
        write_queue(items, self.folders.queue)
        refresh(self.store, self.folders, load_persona(self.persona).review)

    def desk(self, who: str = "An", role: str = "annotator", view: str = "review", sample: str = "") -> AppTest:
        self.store.people.add(who, role)
        return open_desk(who, view=view, sample=sample)

    def stage(self, who: str = "An", role: str = "annotator", sample: str = "") -> StageClient:
        """Open the review view; return what stands in for its stage."""
        return StageClient(stage_data(self.desk(who, role, sample=sample)))


@pytest.fixture
def project(desk_folder: Path):
    made = Project(desk_folder)
    yield made
    made.store.close()


# ---------------------------------------------------------------- coming in


def test_on_a_fresh_clone_the_page_says_what_to_type(project):
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.query_params["lang"] = "en"
    clean(app.run())
    assert "There is nothing to review yet" in page(app)
    assert [c.value for c in app.code] == ["make dataset"]
    project.queue([make_item(1)])
    assert "Who are you?" in [h.value for h in press(app, "Reload").header]


def test_a_missing_persona_is_an_error_message(project, monkeypatch):
    monkeypatch.setenv("REVIEW_PERSONA", "/nowhere/persona.toml")
    app = clean(AppTest.from_file(SCRIPT, default_timeout=60).run())
    assert "no such file" in app.error[0].value.replace("\\", "")


def test_a_name_is_added_and_leads_to_the_first_sample(project):
    project.queue([make_item(1)])
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.query_params["lang"] = "en"
    clean(app.run())
    app.text_input(key="new_name").set_value("  Bình   Minh ")
    press(app, "Start")
    assert project.store.people.roles() == {"Bình Minh": "annotator"}
    assert StageClient(stage_data(app)).item["id"] == make_item(1).sample.id


def test_the_interface_is_vietnamese_by_default(project):
    project.queue([make_item(1)])
    project.store.people.add("An")
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.query_params["who"] = "An"
    clean(app.run())
    words = stage_data(press(app, "Bắt đầu"))["words"].values()
    assert {"Nhận", "Loại", "Sửa", "Bỏ qua", "Hoàn tác"} <= set(words)


# ---------------------------------------------------------------- verdicts


def test_approve_opens_the_next_sample_and_undo_returns(project):
    queue = [make_item(i) for i in range(3)]
    project.queue(queue)
    stage = project.stage()
    first = stage.item["id"]
    stage.judge("approve")
    assert project.store.queue.item(first).status == "approved"
    assert stage.item["id"] == queue[1].sample.id
    assert stage.undo()["undone"] == "approve"
    assert project.store.queue.item(first).status == "pending"
    assert stage.item["id"] == first


def test_a_rejection_has_its_reason_and_the_last_sample_leads_to_none(project):
    project.queue([make_item(1)])
    stage = project.stage()
    one = stage.item["id"]
    stage.judge("reject", "wrong_speaker")
    judged = project.store.queue.item(one)
    assert (judged.status, judged.state.reason) == ("rejected", "wrong_speaker")
    assert stage.item is None


def test_skip_note_next_and_previous(project):
    queue = [make_item(i) for i in range(3)]
    ids = [q.sample.id for q in queue]
    project.queue(queue)
    stage = project.stage()
    noted = stage.judge("note", "hỏi lại").json()
    assert project.store.queue.item(ids[0]).state.notes == ("hỏi lại",)
    assert "hỏi lại" in str(noted["item"]["beside"])
    stage.judge("skip")
    assert stage.item["id"] == ids[1]
    stage.open(after=stage.item["rank"], release=[ids[1]])
    assert stage.item["id"] == ids[2]
    for expected in (ids[1], ids[0]):
        stage.open(back=True, after=stage.item["rank"])
        assert stage.item["id"] == expected
    assert stage.open(back=True, after=stage.item["rank"]) == {"item": None, "ahead": [], "first": True}
    assert project.store.queue.count("An", Filters(status="skipped")) == 1


def test_a_sample_that_has_changed_is_shown_again_and_nothing_is_lost(project):
    project.queue([make_item(1)])
    stage = project.stage()
    one = stage.item["id"]
    project.store.queue.release(one, "An")
    project.store.decide(one, "Bình", "rewrite", revision=0, messages=BETTER)
    answer = stage.judge("approve")
    assert answer.status_code == 409
    assert answer.json()["refused"] == "stale"
    assert "Bình has judged this sample" in answer.json()["message"]
    assert "Tránh ra!" in answer.json()["item"]["turns"]
    assert [d.annotator for d in project.store.log.history(one)] == ["Bình"]


def test_a_sample_that_another_annotator_has_open_can_only_be_read(project):
    project.queue([make_item(1)])
    one = project.store.queue.next_item("Bình").id
    stage = project.stage(sample=one)
    assert "Bình has this open" in stage.shown
    assert stage.item["can_judge"] is False
    assert stage.judge("approve").json()["refused"] == "leased"


def test_a_decided_sample_shows_by_whom_and_why_and_asks_before_it_is_overruled(project):
    project.queue([make_item(1)])
    one = make_item(1).sample.id
    project.store.decide(one, "Bình", "reject", revision=0, reason="no_sense")
    stage = project.stage(sample=one)
    assert "rejected by Bình" in stage.item["decided"]
    assert "Makes no sense" in stage.item["decided"]
    assert stage.item["overrules"] == "Bình has judged this: rejected. Overrule it?"
    assert project.stage("Bình", sample=one).item["overrules"] is None


def test_markup_in_a_sample_is_text(project):
    project.queue([make_item(1, reply="<script>alert(1)</script> **x** <img src=x onerror=y>")])
    said = project.stage().shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; **x** &lt;img" in said
    assert "<script>" not in said


def test_a_megabyte_is_cut_on_the_screen_with_a_note_and_not_sent_to_be_edited(project):
    project.queue([make_item(1, reply="Ta! " * 250_000), make_item(2)])
    stage = project.stage()
    assert "980,000 more characters" in stage.shown
    assert stage.item["messages"] is None
    assert stage.item["length"] > 1_000_000
    stage.judge("approve")
    assert stage.item["id"] == make_item(2).sample.id


# ---------------------------------------------------------------- editing (the typing itself is the browser tests')


def test_a_draft_is_checked_compared_and_saved_as_a_rewrite(project):
    project.queue([make_item(1)])
    stage = project.stage()
    one = stage.item["id"]
    polite = (BETTER[0], Message("assistant", "Dạ, ta lên\u200b núi!"))
    kept = stage.draft(polite).json()["time"]
    found = stage.check(polite)
    assert "Inosuke would not say: dạ" in found["checks"]
    assert "<ins>" in found["diff"]
    assert "U+200B" in found["removed"]
    kept = stage.draft(BETTER, known=kept).json()["time"]
    stage.judge("rewrite", messages=BETTER, known=kept)
    assert (project.store.queue.item(one).messages, project.store.queue.item(one).status) == (BETTER, "approved")
    assert project.store.drafts.get(one, "An") is None


def test_an_unfinished_rewrite_is_refused_with_the_reason(project):
    project.queue([make_item(1)])
    stage = project.stage()
    answer = stage.judge("rewrite", messages=(BETTER[0], Message("assistant", " ")))
    assert (answer.status_code, answer.json()["refused"]) == (422, "bad")
    assert "A turn is empty" in answer.json()["message"]
    assert project.store.queue.item(stage.item["id"]).status == "pending"


def test_a_draft_on_an_old_revision_is_compared_with_the_newer_one(project):
    project.queue([make_item(1)])
    one = make_item(1).sample.id
    mine = (BETTER[0], Message("assistant", "Ta không đi đâu hết!"))
    project.store.drafts.save(one, "An", 0, mine)
    project.store.decide(one, "Bình", "rewrite", revision=0, messages=BETTER)
    stage = project.stage(sample=one)
    assert (stage.item["draft"]["revision"], stage.item["revision"]) == (0, 1)
    assert "<del>" in stage.check(mine, newest=True)["diff"]
    stage.judge("rewrite", messages=mine, known=stage.item["draft"]["time"])
    assert (project.store.queue.item(one).messages, project.store.queue.item(one).state.revision) == (mine, 2)


def test_members_of_a_panel_edit_the_same_sample_at_once(project):
    project.queue([make_item(1)], BLIND)
    one, other = project.stage("An"), project.stage("Bình")
    assert one.item["id"] == other.item["id"]
    assert one.item["can_judge"]
    assert other.item["can_judge"]
    assert other.draft(BETTER).status_code == 200
    assert other.judge("rewrite", messages=BETTER).status_code == 200


# ---------------------------------------------------------------- clusters, history, adjudication, figures


def test_one_of_a_cluster_is_kept_and_the_others_rejected_as_one_step(project):
    near = Flag("near_duplicate", "95")
    pair = [make_item(i, prompt="Sợ gì?", reply=f"Ta không sợ gì {i}!", cluster="c", flags=(near,)) for i in (1, 2, 3)]
    project.queue(pair)
    stage = project.stage()
    assert "Near-duplicates (2)" in stage.shown
    assert stage.cluster("reject", keep=stage.item["id"]) == {"done": 3, "refused": []}
    assert [project.store.queue.item(q.sample.id).status for q in pair] == ["approved", "rejected", "rejected"]
    stage.undo()
    assert [project.store.queue.item(q.sample.id).status for q in pair] == ["pending"] * 3


def test_a_neighbour_shows_the_score_that_its_flag_names(project):
    twin = make_item(2, prompt="Sợ gì?", reply="Ta không sợ gì hết!", cluster="c")
    flag = Flag("near_duplicate", f"same line: 90.9 like {twin.sample.id}")
    project.queue([make_item(1, prompt="Sợ gì?", reply="Ta không sợ gì 1!", cluster="c", flags=(flag,)), twin])
    assert "90.9 %" in project.stage(sample=twin.sample.id).shown
    assert "90.9 %" in project.stage(sample=make_item(1, prompt="Sợ gì?", reply="Ta không sợ gì 1!").sample.id).shown


def test_history_shows_each_verdict_and_restores_any_revision(project):
    project.queue([make_item(1)])
    one = make_item(1).sample
    project.store.decide(one.id, "Bình", "rewrite", revision=0, messages=BETTER)
    app = project.desk(sample=one.id, view="history")
    assert "Bình · rewrite · streamlit" in page(app)
    press(app, "Restore this revision")
    now = project.store.queue.item(one.id)
    assert (now.messages, now.state.revision) == (one.messages, 2)


def test_blind_verdicts_are_hidden_until_both_are_in(project):
    project.queue([make_item(1)], BLIND)
    one = make_item(1).sample.id
    project.store.decide(one, "Bình", "reject", revision=0, reason="no_sense")
    app = project.desk(sample=one, view="history")
    assert "Hidden until the whole panel has judged" in page(app)
    assert "Bình" not in page(app)


def test_an_adjudicator_settles_a_dispute(project):
    project.queue([make_item(1)], BLIND)
    one = make_item(1).sample.id
    project.store.decide(one, "An", "approve", revision=0)
    project.store.decide(one, "Bình", "reject", revision=0, reason="no_sense")
    waiting = project.desk("Chi", view="adjudication")
    assert all(b.disabled for b in waiting.button if b.label.startswith("Follow"))
    app = project.desk("Dung", role="adjudicator", view="adjudication")
    press(app, "Follow Bình")
    assert project.store.queue.item(one).status == "rejected"
    assert "There is nothing to settle" in page(app)


def conflict(project) -> tuple[str, str]:
    """Make a conflict: Bình, in another clone, rejected the text that An has rewritten. Returns sample and event id."""
    item = make_item(1)
    project.queue([item])
    one = item.sample.id
    project.store.decide(one, "An", "rewrite", revision=0, messages=BETTER)
    late = Decision(
        id="late",
        sample_id=one,
        revision=0,
        verdict="reject",
        messages=None,
        reason="no_sense",
        annotator="Bình",
        client="streamlit",
        time="2999-01-01T00:00:00.000+00:00",
    )
    project.store.log.add([late])
    assert project.store.queue.item(one).state.conflicts == ("late",)
    return one, late.id


def test_an_adjudicator_settles_a_conflict(project):
    one, _ = conflict(project)
    app = project.desk("Dung", role="adjudicator", view="adjudication")
    press(app, "Follow Bình")
    assert (project.store.queue.item(one).status, project.store.queue.item(one).state.conflicts) == ("rejected", ())
    assert "There is nothing to settle" in page(app)


def test_a_conflict_stays_when_its_verdict_cannot_be_followed(project):
    one, late = conflict(project)
    app = project.desk("Dung", role="adjudicator", view="adjudication")
    project.store.decide(one, "Chi", "approve", revision=1)  # after the page was drawn
    press(app, "Follow Bình")
    assert "Chi has decided" in page(app)
    item = project.store.queue.item(one)
    assert (item.status, item.state.conflicts) == ("approved", (late,))


def test_the_dashboard_counts_and_writes_the_log(project):
    project.queue([make_item(i) for i in range(3)], BLIND)
    for number, who, verdict in (
        (0, "An", "approve"),
        (0, "Bình", "approve"),
        (1, "An", "reject"),
        (1, "Bình", "approve"),
    ):
        project.store.decide(make_item(number).sample.id, who, verdict, revision=0)
    app = project.desk(view="dashboard")
    assert {m.label: m.value for m in app.metric} == {
        "to review": "1",
        "disputed": "1",
        "approved": "1",
        "rejected": "0",
    }
    assert len(read_log(project.folders.log).decisions) == 4  # written when the page was opened
    project.store.decide(make_item(2).sample.id, "An", "approve", revision=0)
    press(app, "Write the review log now")
    assert len(read_log(project.folders.log).decisions) == 5
    assert app.toast[0].value == plain("Log: 1 new, store: 0 new")


def test_my_work_lists_drafts_and_opens_them(project):
    project.queue([make_item(i) for i in range(2)])
    two = make_item(1).sample.id
    project.store.drafts.save(two, "An", 0, BETTER)
    app = project.desk(view="me")
    clean(app.button(key=f"draft {two}").click().run())
    assert opened(app) == two
    data = stage_data(app)
    assert (data["sample"], data["edit"]) == (two, True)
    assert StageClient(data).item["draft"]["messages"][1]["content"] == BETTER[1].content


def test_filters_lead_to_the_next_sample_that_fits(project):
    project.queue([make_item(1), make_item(2, kind="quote")])
    app = project.desk()
    assert StageClient(stage_data(app)).item["id"] == make_item(1).sample.id
    clean(app.selectbox(key="kind en").set_value("quote").run())
    assert StageClient(stage_data(app) | {"sample": None}).open()["item"]["id"] == make_item(2, kind="quote").sample.id
    clean(app.selectbox(key="status en").set_value("approved").run())
    assert StageClient(stage_data(app)).open()["item"] is None


# ---------------------------------------------------------------- sign-in away from this computer


@pytest.fixture
def open_to_all(monkeypatch):
    from streamlit import config

    before = config.get_option("server.address")
    config.set_option("server.address", "0.0.0.0")
    yield
    config.set_option("server.address", before)


def test_without_passwords_a_desk_open_to_others_stays_closed(project, open_to_all):
    project.queue([make_item(1)])
    app = project.desk("An")
    assert "needs a sign-in" in page(app)
    assert [c.value for c in app.code] == ["inosuke review annotator NAME --password"]
    assert "leo 1 ngọn" not in page(app)


def test_a_password_opens_the_desk_and_a_name_in_the_address_does_not(project, open_to_all):
    project.queue([make_item(1)])
    project.store.people.add("An")
    project.store.people.set_password("An", "lợn rừng")
    app = project.desk("An")
    assert "leo 1 ngọn" not in page(app)
    for name, password in (("An", "lợn nhà"), ("Ai đó", "lợn rừng")):
        app.text_input(key="login_name").set_value(name)
        app.text_input(key="login_password").set_value(password)
        press(app, "Start")
        assert "name or the password is wrong" in page(app).replace("\\", "")
    app.text_input(key="login_name").set_value("An")
    app.text_input(key="login_password").set_value("lợn rừng")
    press(app, "Start")
    assert "leo 1 ngọn" in StageClient(stage_data(app), "password").shown


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("", False), (None, False)],
)
def test_which_addresses_are_this_computer_alone(address, expected):
    from annotations.ui.access import is_loopback

    assert is_loopback(address) is expected
