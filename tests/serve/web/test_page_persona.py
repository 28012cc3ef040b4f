"""Two characters in a real browser: one with words and a portrait of its own, one that leaves all of that out."""

import re

import pytest
from playwright.sync_api import expect

from curation.persona import Page
from serve import create_app
from tests.tools.chromium import PHONE, Storyteller, needs_chromium, reply_says, send
from tests.tools.personas import anne, persona_with

pytestmark = needs_chromium

ANOTHERS = re.compile(r"\b(inosuke|he|him|his|himself|boar|hắn|ngươi)\b", re.IGNORECASE)


@pytest.fixture
def served(live):
    """Serve a persona; returns the address."""
    opened = []

    def make(persona):
        context = live(create_app({"ENGINE": Storyteller(), "PERSONA": persona}))
        opened.append(context)
        return context.__enter__()

    yield make
    for context in opened:
        context.__exit__(None, None, None)


def shown(page):
    """All that a visitor can see or hear of the page: texts, labels, titles, placeholders."""
    return page.evaluate(
        """() => [document.title, document.body.innerText,
             ...[...document.querySelectorAll('*')].flatMap((e) =>
               ['aria-label', 'title', 'placeholder', 'alt'].map((name) => e.getAttribute(name) ?? ''))].join('\\n')"""
    )


@pytest.mark.parametrize("device", [{"viewport": {"width": 1280, "height": 800}}, PHONE], ids=["desktop", "phone"])
def test_a_persona_without_page_has_a_neutral_page_in_its_language(visit, served, device):
    page = visit(address=served(anne()), **device)  # the browser prefers Vietnamese, Anne speaks English
    assert page.get_attribute("html", "lang") == "en" and page.title() == "Anne"
    expect(page.locator("#greeting")).to_have_text("Chat with Anne")
    expect(page.locator("#notice")).to_have_text("A language model plays Anne. What it writes can be wrong.")
    assert page.locator("#prompts button").first.inner_text() == "Who are you?"
    assert page.locator(".portrait").evaluate("image => image.complete && image.naturalWidth > 0")
    assert page.locator(".portrait").get_attribute("alt") == "Portrait of Anne"
    page.locator("#prompts button").first.click()
    reply_says(page, "Who are you?")
    assert ANOTHERS.findall(shown(page).replace("Ngươi nói", "")) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("#new") if device is not PHONE else page.reload()
    page.click("#language")
    assert page.get_attribute("html", "lang") == "vi"
    assert ANOTHERS.findall(shown(page).replace("Ngươi nói", "")) == []


def test_the_first_persona_has_its_own_words_in_both_languages(visit, served, persona):
    page = visit(address=served(persona))
    expect(page.locator("#greeting")).to_have_text("Ta là chúa tể núi rừng! Ngươi muốn gì?")
    page.click("#language")
    expect(page.locator("#greeting")).to_have_text("I am the king of the mountain! What do you want?")
    expect(page.locator("#notice")).to_have_text(
        "A character trained by fans, not an official one. Inosuke can be rude, and can be wrong."
    )
    assert page.locator("#prompts button").all_inner_texts()[1] == "I challenge you to a fight!"
    assert page.locator(".portrait").evaluate("image => image.complete && image.naturalWidth > 0")


def test_one_of_several_greetings_is_shown_and_stays_with_its_conversation(visit, served, tmp_path):
    greetings = tuple(f"Hello {n}!" for n in range(5))
    page = visit(address=served(persona_with(tmp_path, greetings={"en": greetings})))
    seen = set()
    for _ in range(30):
        page.click("#new")
        seen.add(page.inner_text("#greeting"))
    assert 1 < len(seen) <= 5 and seen <= set(greetings)
    before = page.inner_text("#greeting")
    page.click("#language")
    expect(page.locator("#greeting")).to_have_text(before)  # the same, in the only language that it has
    assert page.get_attribute("#greeting", "lang") == "en"


def test_texts_of_the_persona_are_shown_as_text(visit, served, tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    persona = persona_with(tmp_path, name=f"Eve {evil}", greetings={"en": (evil,)})
    page = visit(address=served(persona))
    expect(page.locator("#greeting")).to_have_text(evil)
    assert page.locator("#greeting *").count() == 0 and page.title() == f"Eve {evil}"
    send(page, "Hello")
    assert page.locator(".turn img:not(.face)").count() == 0


def test_long_texts_of_the_persona_stay_within_the_page(visit, served, tmp_path):
    texts = {"en": ("Hello! " * 30 + "o" * 200,)}
    page = Page(starters=texts, notice={"en": "n" * 300})
    shown = visit(address=served(persona_with(tmp_path, name="Emilia" * 20, greetings=texts, page=page)), **PHONE)
    assert shown.evaluate(
        "['html', '#scroller', '.top'].map(s => document.querySelector(s)).every(e => e.scrollWidth <= e.clientWidth)"
    )
