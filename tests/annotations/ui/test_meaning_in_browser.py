"""Neighbours by meaning beside a sample, by real keys and presses: shown, judged, undone, on a desk and on a phone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from annotations.meaning.pairs import verdicts
from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from curation.folders import Folders
from curation.persona import load_persona
from curation.review.queue import write_queue
from tests.annotations.meaning.conftest import ITEMS, LINES
from tests.annotations.ui.desk_browser import annotators, changes_from, painted, shown
from tests.annotations.ui.desk_server import Server

pytestmark = pytest.mark.browser

ONE, TWO, RAIN, HUNGRY, _ = (item.sample.id for item in ITEMS)
PERSONA = 'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n'
PART = 'details[data-part="meaning"]'
# Where to put pictures of the page, for a person to look at: MEANING_PICTURES=folder pytest …
PICTURES = os.environ.get("MEANING_PICTURES")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("meaning")
    (root / "persona.toml").write_text(PERSONA, encoding="utf-8")
    folders = Folders(root)
    write_queue(ITEMS, folders.queue)
    store = ReviewStore(f"sqlite:///{folders.datasets / 'review.db'}")
    refresh(store, folders, load_persona(root / "persona.toml").review)
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


def picture(page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def answered(page, answer: str) -> None:
    page.wait_for_selector(f'{PART} [data-action="{answer}"][aria-pressed="true"]')


def test_i_opens_the_neighbours_and_an_answer_is_kept_and_undone_by_u(annotator, project):
    _, store = project
    an = annotator(sample=ONE)
    page = an.page
    an.press("i")
    card = page.locator(f"{PART} .card")
    card.first.wait_for()
    assert page.locator(f'{PART} [data-action="same"]').count() == card.count() == 1
    assert LINES[1].split(" ta ")[0] in card.first.inner_text()
    assert "by meaning only" in card.first.inner_text()
    card.first.scroll_into_view_if_needed()
    picture(page, "meaning-1280")
    page.click(f'{PART} [data-action="same"]')
    answered(page, "same")
    assert "Recorded: the same" in page.locator(".stage-told").inner_text()
    assert [(v.annotator, v.answer) for v in verdicts(store)] == [(an.who, "same")]
    page.click(f'{PART} [data-action="different"]')
    answered(page, "different")
    picture(page, "meaning-1280-judged")
    an.press("u")
    answered(page, "same")
    an.press("u")
    page.wait_for_function(f"!document.querySelector('{PART} [aria-pressed=true]')")
    assert verdicts(store) == []
    assert an.verdicts() == []
    assert shown(page) == ONE


def test_an_answer_does_not_judge_the_sample_and_u_undoes_in_the_order_of_work(annotator, project):
    _, store = project
    an = annotator(sample=ONE)
    page = an.page
    an.press("i")
    page.locator(f"{PART} .card").first.wait_for()
    page.click(f'{PART} [data-action="same"]')
    answered(page, "same")
    an.press("s")
    page.wait_for_function("(id) => document.querySelector('.stage-item').dataset.sample !== id", arg=ONE)
    an.sent()
    # The part stays open from sample to sample.
    page.wait_for_selector(f"{PART}[open] .quiet")
    assert [verdict for verdict, _, _ in an.verdicts()] == ["skip"]
    an.press("u")
    page.wait_for_function("(id) => document.querySelector('.stage-item').dataset.sample === id", arg=ONE)
    answered(page, "same")
    an.press("u")
    page.wait_for_function(f"!document.querySelector('{PART} [aria-pressed=true]')")
    assert [verdict for verdict, _, _ in an.verdicts()] == ["skip", "undo"]
    assert verdicts(store) == []


def test_u_undoes_an_answer_after_the_page_was_loaded_again(annotator, project):
    _, store = project
    an = annotator(sample=ONE)
    page = an.page
    an.press("i")
    page.locator(f"{PART} .card").first.wait_for()
    page.click(f'{PART} [data-action="same"]')
    answered(page, "same")
    page.click(f'{PART} [data-action="different"]')
    answered(page, "different")
    for left in (["same"], []):
        page.reload()
        painted(page)
        an.press("u")
        page.wait_for_function("document.querySelector('.stage-told')?.innerText.includes('withdrawn')")
        assert [v.answer for v in verdicts(store)] == left
        assert shown(page) == ONE
    an.press("i")
    page.locator(f"{PART} .card").first.wait_for()
    assert page.locator(f"{PART} [aria-pressed=true]").count() == 0
    assert an.verdicts() == [], "no sample was judged, and none undone"


def test_u_after_a_reload_undoes_in_the_order_of_work(annotator, project):
    _, store = project
    an = annotator(sample=ONE)
    page = an.page
    an.press("i")
    page.locator(f"{PART} .card").first.wait_for()
    page.click(f'{PART} [data-action="same"]')
    answered(page, "same")
    an.press("s")
    page.wait_for_function("(id) => document.querySelector('.stage-item').dataset.sample !== id", arg=ONE)
    an.sent()
    page.reload()
    painted(page)
    an.press("u")
    page.wait_for_function("document.querySelector('.stage-told').innerText.length > 0")
    an.sent()
    assert [verdict for verdict, _, _ in an.verdicts()] == ["skip", "undo"]
    assert [v.answer for v in verdicts(store)] == ["same"], "the skip was newer"
    an.press("u")
    page.wait_for_function("document.querySelector('.stage-told').innerText.includes('withdrawn')")
    assert verdicts(store) == []


def test_a_neighbour_can_be_opened(annotator):
    page = annotator(sample=ONE).page
    page.keyboard.press("i")
    page.click(f'{PART} [data-action="open"]')
    assert changes_from(page, ONE) == TWO


def test_on_a_phone_it_fits_and_is_pressed_with_a_finger(annotator, project):
    _, store = project
    an = annotator(width=390, height=844, sample=ONE)
    page = an.page
    page.locator(f"{PART} summary").click()
    page.locator(f"{PART} .card").first.wait_for()
    page.locator(f"{PART} .card").first.scroll_into_view_if_needed()
    picture(page, "meaning-390")
    page.click(f'{PART} [data-action="different"]')
    answered(page, "different")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    boxes = [button.bounding_box() for button in page.locator(f"{PART} .card .row button").all()]
    assert all(box["height"] >= 31 and box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    page.locator('[data-action="undo"]').click()
    page.wait_for_function(f"!document.querySelector('{PART} [aria-pressed=true]')")
    assert verdicts(store) == []


def test_a_search_by_meaning_leads_to_its_sample(annotator):
    an = annotator(sample=ONE)
    page = an.page
    page.get_by_text("Find", exact=True).first.click()
    field = page.get_by_label("Search for a meaning, in your own words")
    field.fill("thời tiết xấu")
    field.press("Enter")
    page.get_by_text(LINES[2]).first.wait_for()
    picture(page, "meaning-search-1280")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    picture(page, "meaning-search-390")
    page.set_viewport_size({"width": 1280, "height": 860})
    page.get_by_role("button", name="Open this one").first.click()
    assert painted(page) == RAIN
