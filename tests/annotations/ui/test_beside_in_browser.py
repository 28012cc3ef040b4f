"""What an annotator opens beside a sample, by real keys: marks, near-duplicates, source lines, guidelines."""

from __future__ import annotations

import shutil

import pytest

from annotations.guidelines import read_guidelines
from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from curation.folders import Folders
from curation.persona import load_persona
from curation.pipeline.stages import build
from curation.record import Flag
from curation.review.queue import read_queue, write_queue
from tests.annotations.conftest import make_item
from tests.annotations.model_server import model_server
from tests.annotations.ui.desk_browser import annotators, changes_from, painted, shown
from tests.annotations.ui.desk_server import ROOT, Server

pytestmark = pytest.mark.browser

PERSONA = 'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n'
SCENES = '[[sources]]\npath = "scenes"\n'
POLITE = make_item(
    901,
    prompt="Đi đâu đấy?",
    reply="Dạ, <b>ta</b> leo núi ạ!",
    flags=(Flag("out_of_character", "Inosuke would not say: dạ, ạ"),),
    path="polite.jsonl",
)
NEAR = [
    make_item(
        910 + n,
        prompt="Ngươi sợ cái gì?",
        reply=f"Ta không sợ gì! Gọi con {word} nhất ra đây!",
        cluster="c1",
        flags=(Flag("near_duplicate", "95 with another line"),),
        path="near.jsonl",
    )
    for n, word in enumerate(("mạnh", "to", "dữ"))
]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("beside")
    (root / "scenes").mkdir()
    shutil.copy(ROOT / "datasets" / "sources" / "transcripts" / "scenes.utf-8.srt", root / "scenes" / "scenes.srt")
    persona = root / "persona.toml"
    persona.write_text(PERSONA + SCENES, encoding="utf-8")
    build(persona, quiet=True)
    folders = Folders(root)
    write_queue([POLITE, *NEAR, *read_queue(folders.queue)], folders.queue)
    store = ReviewStore(f"sqlite:///{folders.datasets / 'review.db'}")
    refresh(store, folders, load_persona(persona).review)
    with model_server() as url, pytest.MonkeyPatch.context() as environment:
        # What `inosuke serve` reads: the desk's suggestions come from this server.
        environment.setenv("INOSUKE_ENGINE", "openai")
        environment.setenv("INOSUKE_URL", url)
        server = Server(root)
        server.start()
        yield server, store
        server.stop()
    store.close()


@pytest.fixture
def annotator(chromium, project):
    """Open the desk at a sample or in a filter: ``annotator(sample=…)``."""
    with annotators(chromium, *project) as make:
        yield make


def test_the_words_of_a_flag_and_of_the_search_are_marked(annotator):
    page = annotator(sample=POLITE.sample.id, text="nui").page
    turns = page.locator('[data-part="turns"]')
    turns.locator("mark.hit").first.wait_for()
    assert turns.locator("mark.flag").all_inner_texts() == ["Dạ", "ạ"]
    assert turns.locator("mark.hit").all_inner_texts() == ["núi"]
    assert turns.locator("b").count() == 0
    assert "would not say: dạ, ạ" in page.locator('[data-part="flags"]').inner_text()


def test_the_near_duplicates_are_one_key_away_and_no_key_there_judges(annotator, project):
    store = project[1]
    other = NEAR[1].sample.id
    store.people.add("Bình")
    store.decide(other, "Bình", "reject", revision=0, reason="no_sense")
    an = annotator(sample=NEAR[0].sample.id)
    one = painted(an.page)
    an.press("t")
    beside = an.page.locator(".stage-twins")
    beside.locator(".card").first.wait_for()
    text = beside.inner_text()
    assert "rejected by Bình" in text and "Makes no sense" in text and "UTC" not in text
    assert beside.locator("del, ins").count() > 0
    an.press("a", "s", "x", "1", "k", "Enter", "e", "m", "n")
    assert "That key did not count" in an.page.locator(".stage-told").inner_text()
    assert shown(an.page) == one and beside.is_visible()
    an.press("Escape")
    assert an.page.locator('[data-part="turns"]').is_visible() and not beside.is_visible()
    an.press("t", "t")
    assert not beside.is_visible()
    an.press("u")  # nothing was judged, so nothing can be undone
    an.page.get_by_text("nothing left to undo").wait_for()
    assert an.verdicts() == []
    an.press("a")
    changes_from(an.page, one)
    an.sent()
    assert an.verdicts() == [("approve", one, "")]


def test_typing_on_where_there_is_no_near_duplicate_opens_nothing(annotator):
    an = annotator(sample=POLITE.sample.id)
    painted(an.page)
    an.press("t")
    an.page.get_by_text("This sample has no near-duplicates.").wait_for()
    assert an.page.locator('[data-part="turns"]').is_visible()
    assert an.page.evaluate("document.activeElement.className") == "stage"


def test_the_lines_around_a_transcript_s_sample_stay_open_from_sample_to_sample(annotator):
    an = annotator(source="scenes/scenes.srt")
    one = painted(an.page)
    lines = an.page.locator('details[data-part="context"]')
    assert lines.get_attribute("open") is None
    an.press("c")
    lines.locator(".own").first.wait_for()
    assert lines.locator(".line:not(.own)").count() > 0
    lines.get_by_text("As the file has it").click()
    assert "-->" in lines.locator("pre").inner_text()
    an.press("n")
    changes_from(an.page, one)
    lines.locator(".own").first.wait_for()
    an.press("c")
    assert lines.get_attribute("open") is None
    assert an.verdicts() == []


def test_the_guidelines_stand_beside_the_sample_and_verdicts_record_their_version(annotator, project):
    server, store = project
    an = annotator(source="scenes/scenes.srt")
    one = painted(an.page)
    an.press("g")
    guide = an.page.locator(".stage-guide")
    guide.get_by_role("heading").first.wait_for()
    version = read_guidelines(load_persona(server.folder / "persona.toml")).version
    assert version in guide.inner_text()
    sample, place = an.page.locator('[data-part="turns"]').bounding_box(), guide.bounding_box()
    assert sample["x"] + sample["width"] <= place["x"]
    an.press("a")  # they are for reading while judging
    changes_from(an.page, one)
    an.sent()
    assert guide.is_visible()
    assert [e.guidelines for e in store.log.history(one) if e.annotator == an.who] == [version]
    an.press("e")
    assert guide.is_visible() and an.page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    an.press("Escape", "Escape")
    assert not guide.is_visible()


def test_a_name_typed_in_the_editor_is_applied_to_the_scene_and_undone_with_u(annotator, project):
    store = project[1]
    an = annotator(source="scenes/scenes.srt")
    one = painted(an.page)
    an.press("e")
    name = an.page.locator(".turn-edit .name").first
    label = name.input_value()
    name.fill("Murata")
    an.page.get_by_role("button", name="Name the speaker of turn 1 in the whole scene").press("Enter")
    an.page.get_by_role("heading", name="Name Murata in the other samples of the scene").wait_for()
    assert f"{label} → Murata" in an.page.locator(".stage-scene").inner_text()
    assert an.page.evaluate("document.activeElement.className") == "stage-scene"
    an.press("a", "u", "e")  # they are no verdicts here
    assert "Enter names them" in an.page.locator(".stage-told").inner_text()
    an.press("Escape")
    assert an.page.evaluate("document.activeElement.value") == "Murata"
    an.page.locator(".turn-edit button.scene").first.press("Enter")
    an.page.get_by_role("button", name="Name in").wait_for()
    an.page.wait_for_function("!document.querySelector('[data-action=name-scene]').disabled")
    an.press("Enter")
    an.page.get_by_text("drafts kept. To undo").wait_for()
    named = [s for s in store.drafts.samples(an.who) if s != one]
    assert named and all("Murata" in [m.name for m in store.drafts.get(s, an.who).messages] for s in named)
    an.press("Escape", "u")
    an.page.get_by_text("have their former names").wait_for()
    assert [s for s in store.drafts.samples(an.who) if s != one] == []
    made = [(verdict, sample) for verdict, sample, _ in an.verdicts()]
    assert {v for v, _ in made} <= {"rewrite", "undo"}, "approved samples were rewritten, and that was undone"
    assert sorted(s for v, s in made if v == "rewrite") == sorted(s for v, s in made if v == "undo")


def test_a_suggestion_is_copied_into_the_editor_by_the_annotator_alone(annotator):
    an = annotator(sample=POLITE.sample.id)
    one = painted(an.page)
    an.press("r")
    shown_text = an.page.locator(".stage-suggestion .suggested")
    shown_text.wait_for()
    assert shown_text.inner_text() == "Ta không sợ! (Đi đâu đấy?)"
    assert "no one has checked it" in an.page.locator(".stage-suggestion").inner_text()
    assert an.kept(one) == [] and not an.page.locator(".stage-editor").is_visible()
    an.press("y")
    assert an.page.evaluate("document.activeElement.value") == "Ta không sợ! (Đi đâu đấy?)"
    an.press("Control+z")
    assert an.page.evaluate("document.activeElement.value") == POLITE.sample.messages[-1].content
    an.press("Escape")
    assert an.verdicts() == []


def test_a_suggestion_goes_with_its_sample(annotator):
    an = annotator(source="near.jsonl", status="all")
    one = painted(an.page)
    an.press("r")
    an.press("n")
    changes_from(an.page, one)
    assert not an.page.locator(".stage-suggestion").is_visible()
    an.press("y")  # nothing is suggested, so nothing opens
    assert not an.page.locator(".stage-editor").is_visible()


def test_a_colleague_s_verdict_is_overruled_only_after_a_question(annotator, project):
    store = project[1]
    other = read_queue(Folders(project[0].folder).queue)[-1].sample.id
    store.people.add("Chi")
    store.decide(other, "Chi", "reject", revision=0, reason="no_sense")
    an = annotator(sample=other)
    painted(an.page)
    decided = an.page.locator('[data-part="decided"]').inner_text()
    assert "rejected by Chi" in decided and "Makes no sense" in decided and "UTC" not in decided
    an.press("a")
    an.page.get_by_text("Chi has judged this: rejected. Overrule it?").wait_for()
    an.press("Escape")
    assert an.verdicts() == []
    an.press("a", "a")
    an.sent()
    assert an.verdicts() == [("approve", other, "")]


def test_on_a_phone_nothing_is_wider_than_the_screen(annotator):
    an = annotator(width=390, sample=NEAR[0].sample.id)
    for key, place in (("g", ".stage-guide h2"), ("t", ".stage-twins .card")):
        an.press(key)
        an.page.locator(place).first.wait_for()
        assert an.page.evaluate("document.documentElement.scrollWidth") <= 390
