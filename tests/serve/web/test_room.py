"""The room in a real browser: a visitor and two characters take turns, and what was said stays."""

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from curation.persona import Rooms
from tests.tools.chromium import PHONE, TIMEOUT, Storyteller, needs_chromium
from tests.tools.personas import anne
from tests.tools.rooms import YES, two

pytestmark = needs_chromium

EVIL = "<img src=x onerror=alert(1)>"
GREETING = f'\n[greetings]\nen = ["Oh, how splendid! {EVIL}"]'


class Namesake(Storyteller):
    """Tells the story under its own name and then speaks for the others, as a small model does."""

    name_in_text = ""

    def stream(self, messages, settings, cancelled):
        for event in super().stream(messages, settings, cancelled):
            if hasattr(event, "text") and event.text.startswith("Hừ"):
                event = type(event)(f"{self.name_in_text}: {event.text}")
            yield event


@pytest.fixture
def tellers():
    return Namesake(), Namesake()


@pytest.fixture
def url(tellers, live, tmp_path):
    """The list of characters of a server with Inosuke and Anne, who may meet."""
    tellers[0].name_in_text, tellers[1].name_in_text = "Inosuke", "Anne"
    with live(two(tmp_path, tellers, annes=YES + GREETING)) as address:
        yield address
        for teller in tellers:
            teller.gate.set()


@pytest.fixture
def enter(browser, url):
    """Go from the list to the room; at the end the console must be empty, CSP violations included."""
    contexts, said = [], []

    def make(**options):
        context = browser.new_context(locale="vi-VN", **options)
        context.set_default_timeout(TIMEOUT)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(url)
        page.get_by_role("link", name="Vào phòng").click()
        page.wait_for_selector("#people li")
        return page

    yield make
    for context in contexts:
        context.close()
    assert said == []


def shown(page):
    """Each turn as its speaker and its text; the visitor's without a speaker."""
    return page.eval_on_selector_all(
        ".turn",
        """all => all.map(turn => [turn.querySelector('.speaker')?.textContent ?? null,
                                   turn.querySelector('.text').textContent])""",
    )


def settled(page, turns):
    expect(page.locator(".turn")).to_have_count(turns)
    expect(page.locator(".waiting, .growing")).to_have_count(0)
    page.wait_for_selector("#send:visible")


def test_a_visitor_and_two_characters_take_turns_and_a_reload_keeps_them(enter, tellers):
    page = enter()
    expect(page.locator("h1")).to_have_text("Inosuke, Anne")
    page.fill("#input", f"Chào cả hai! {EVIL}")
    page.keyboard.press("Enter")
    settled(page, 2)
    said = [[None, f"Chào cả hai! {EVIL}"], ["Inosuke", f"Hừ! (1) Ngươi nói: Chào cả hai! {EVIL}"]]
    assert shown(page) == said  # its own label, which the model wrote, is not shown
    first = page.get_by_role("button", name="Để Inosuke trả lời")
    expect(first).to_have_attribute("aria-disabled", "true")  # it spoke last
    page.get_by_role("button", name="Để Anne trả lời").click()
    settled(page, 3)
    first.click()
    settled(page, 4)
    page.fill("#input", "Anne nghĩ sao?")
    page.keyboard.press("Enter")
    settled(page, 6)
    assert [who for who, _ in shown(page)] == [None, "Inosuke", "Anne", "Inosuke", None, "Anne"]
    assert page.locator(".turn.reply img.face").nth(1).get_attribute("src") == "../anne/portrait"
    assert page.locator(".turn img:not(.face)").count() == 0
    assert [content for _, content in tellers[1].seen[-1]][-1] == "Anne nghĩ sao?"
    before = shown(page)
    page.fill("#input", "một câu chưa gửi")
    page.reload()
    settled(page, 6)
    assert shown(page) == before
    expect(page.locator("#input")).to_have_value("một câu chưa gửi")
    expect(page.locator("#conversations li")).to_have_count(1)
    page.fill("#input", "")
    page.click("#new")
    expect(page.locator("#people li")).to_have_count(2)
    page.locator("#conversations .open").click()
    settled(page, 6)


def test_they_talk_without_the_visitor_until_stopped(enter, tellers):
    page = enter()
    page.select_option("#let-talk-turns", "6")
    tellers[1].gate.clear()
    page.click("#let-talk")  # Inosuke's greeting is the first turn
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".growing .speaker")).to_have_text("Anne")
    expect(page.locator("#let-talk-left")).to_have_text("Họ tự nói tiếp: còn 4 lượt.")
    expect(page.locator("#let-talk")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Escape")
    assert tellers[1].stopped.wait(10)
    settled(page, 2)
    assert shown(page)[-1] == ["Anne", "Hừ! (1)"]
    tellers[1].gate.set()
    page.click("#let-talk")
    settled(page, 8)
    assert [who for who, _ in shown(page)] == ["Inosuke", "Anne"] * 4


def test_greetings_are_texts_and_open_a_conversation(enter, tellers):
    page = enter()
    expect(page.locator("#people .greeting").nth(1)).to_have_text(f"Oh, how splendid! {EVIL}")
    page.get_by_role("button", name="Để Anne mở lời").click()
    settled(page, 1)
    assert shown(page) == [["Anne", f"Oh, how splendid! {EVIL}"]] and page.locator(".text img").count() == 0
    page.locator(".turn").get_by_label("Xoá tin nhắn này").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.get_by_role("button", name="Hoàn tác").click()
    settled(page, 1)
    page.click("#visitor")
    page.fill("#dialog-line", " Lan: ")
    page.click("#dialog-yes")
    page.fill("#input", "Còn tôi là Lan!")
    page.keyboard.press("Enter")
    settled(page, 3)
    expect(page.locator(".turn .hidden").first).to_have_text("Lan: ")


def test_a_failure_leaves_what_was_said_and_may_be_tried_again(enter, tellers):
    page = enter()
    tellers[0].crash = True
    page.fill("#input", "Inosuke ơi")
    page.keyboard.press("Enter")
    expect(page.locator("#trouble")).to_be_visible()
    settled(page, 2)
    assert shown(page) == [[None, "Inosuke ơi"], ["Inosuke", "Hừ! (1)"]]
    page.locator(".turn").last.get_by_label("Xoá tin nhắn này").click()
    tellers[0].crash = False
    page.get_by_role("button", name="Để Inosuke trả lời").click()
    settled(page, 2)
    expect(page.locator("#trouble")).to_be_hidden()


@pytest.mark.parametrize(
    ("device", "scheme"),
    [
        ({"viewport": {"width": 1440, "height": 900}}, "light"),
        (PHONE | {"viewport": {"width": 390, "height": 844}}, "dark"),
    ],
    ids=["desktop", "phone"],
)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(enter, tellers, scheme, device):
    # Its own policy forbids the page the script that looks at it, so here, and only here, the policy is off.
    page = enter(color_scheme=scheme, reduced_motion="reduce", bypass_csp=True, **device)

    def check(name):
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if shots := os.environ.get("SHOTS"):
            page.screenshot(path=f"{shots}/room-{name}-{scheme}-{page.viewport_size['width']}.png")

    check("empty")
    page.locator('[data-act="begin-inosuke"]').click()
    settled(page, 1)
    tellers[1].gate.clear()
    page.click("#let-talk")
    expect(page.locator(".growing")).to_have_count(1)
    check("talking")
    tellers[1].gate.set()
    settled(page, 5)
    check("after")


def test_of_three_the_visitor_chooses_who_is_there(browser, live, tmp_path):
    shy = anne().model_copy(
        update={"name": "Emilia", "rooms": Rooms.model_validate({"allowed": True, "with": ["Anne"]})}
    )
    with live(two(tmp_path, (Storyteller(), Storyteller()), third=(Storyteller(), shy))) as url:
        page = browser.new_context(locale="en-US").new_page()
        page.set_default_timeout(TIMEOUT)
        page.goto(f"{url}/room")
        expect(page.locator("h1")).to_have_text("Inosuke, Anne")
        emilia = page.get_by_role("button", name="Emilia", exact=True)
        emilia.click()  # Inosuke may not meet her
        expect(page.locator("h1")).to_have_text("Anne, Emilia")
        expect(emilia).to_be_focused()
        expect(emilia).to_have_attribute("aria-pressed", "true")
        page.fill("#input", "Hello!")
        page.keyboard.press("Enter")
        settled(page, 2)
        page.reload()
        settled(page, 2)
        expect(page.locator("h1")).to_have_text("Anne, Emilia")
        page.get_by_role("button", name="Let Emilia answer").click()
        settled(page, 3)
        page.context.close()


def test_everything_is_reached_by_keyboard(enter):
    page = enter()
    page.locator("#input").focus()
    page.keyboard.press("Shift+Tab")  # how many turns
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#let-talk")).to_be_focused()
    page.keyboard.press("Enter")
    settled(page, 4)
    expect(page.locator("#let-talk")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Để Anne trả lời")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    settled(page, 5)


def test_the_list_names_and_deletes_conversations(enter):
    page = enter()
    for said in ("Câu thứ nhất", "Câu thứ hai"):
        page.click("#new")
        page.fill("#input", said)
        page.keyboard.press("Enter")
        settled(page, 2)
    page.reload()
    settled(page, 2)
    names = page.locator("#conversations .open")
    expect(names).to_have_text(["Câu thứ hai", "Câu thứ nhất"])
    choose(page, 1, "Đổi tên")
    page.fill("#dialog-line", " Đi săn ")
    page.click("#dialog-yes")
    expect(names.nth(1)).to_have_text("Đi săn")
    assert shown(page)[0] == [None, "Câu thứ hai"]  # the one that is shown stays
    choose(page, 0, "Xoá")
    page.click("#dialog-yes")
    expect(names).to_have_text(["Đi săn"])
    settled(page, 2)
    assert shown(page)[0] == [None, "Câu thứ nhất"]
    page.reload()
    settled(page, 2)
    expect(names).to_have_text(["Đi săn"])


def choose(page, number, what):
    page.locator("#conversations li").nth(number).get_by_role("button").last.click()
    page.get_by_role("menuitem", name=what, exact=True).click()
