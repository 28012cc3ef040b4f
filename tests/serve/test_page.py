"""The page in a real browser, against the real server."""

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from serve import create_app
from serve.engines.base import Delta, Done
from tests.serve.conftest import serving

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium"),
]


@dataclass
class Storyteller:
    """Numbers its answers; after the first word it waits for ``gate``, so that a test can look at a growing reply."""

    name: str = "storyteller"
    model: str = "storyteller-1"
    context: int = 2048
    slots: int = 2
    gate: threading.Event = field(default_factory=threading.Event)
    seen: list = field(default_factory=list)
    crash: bool = False
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self):
        self.gate.set()

    def stream(self, messages, settings, cancelled):
        self.seen.append([(m.role, m.content) for m in messages])
        yield Delta(f"Hừ! ({len(self.seen)}) ")
        while not self.gate.wait(0.02):
            if cancelled():
                self.stopped.set()
                yield Done("cancelled", 1, 1)
                return
        if self.crash:
            raise RuntimeError("x")
        yield Delta(f"Ngươi nói: {messages[-1].content}")
        yield Done("stop", 1, 2)


@pytest.fixture
def teller():
    return Storyteller()


@pytest.fixture
def url(teller, persona):
    with serving(create_app({"ENGINE": teller, "PERSONA": persona})) as address:
        yield address
        teller.gate.set()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield launched
        launched.close()


@pytest.fixture
def visit(browser, url):
    """Open the page; at the end nothing may have been written to the console, CSP violations included."""
    contexts, said = [], []

    def make(allow=(), **options):
        context = browser.new_context(locale="vi-VN", **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: said.append(m.text) if not any(a in m.text for a in allow) else None)
        page.on("pageerror", lambda e: said.append(str(e)))
        page.goto(url)
        page.wait_for_selector("#prompts button, .turn")
        return page

    yield make
    for context in contexts:
        context.close()
    assert said == []


def send(page, text, wait=True):
    page.fill("#input", text)
    page.keyboard.press("Enter")
    if wait:
        page.wait_for_selector(".turn.his:last-child:not(.waiting):not(.growing)")
        page.wait_for_selector("#send:visible")


def turns(page):
    """The texts of all turns, as the page shows them."""
    return page.eval_on_selector_all(".turn .text", "all => all.map(e => e.textContent)")


def reply_says(page, text):
    # not wait_for_function, which evaluates a string: the page's own policy forbids it
    expect(page.locator(".turn .text").last).to_contain_text(text, timeout=10_000)


def last_note(page):
    return page.locator(".turn .note").last.inner_text()


def act(page, index, label):
    """Press a turn's button, which shows when the pointer is there."""
    turn = page.locator(".turn").nth(index)
    turn.hover()
    turn.get_by_label(label).click()


def test_the_empty_page_offers_openings_and_a_notice(visit, teller):
    page = visit()
    assert page.locator("#empty").is_visible()
    assert "không phải bản chính thức" in page.inner_text(".notice")
    page.locator("#prompts button").first.click()
    page.wait_for_selector(".turn.his:not(.growing):not(.waiting)")
    assert teller.seen == [[("user", "Ngươi là ai?")]]
    assert not page.locator("#empty").is_visible()


def test_a_reply_grows_word_by_word_and_is_read_out_once_it_is_complete(visit, teller):
    page = visit()
    teller.gate.clear()
    send(page, "Chào", wait=False)
    page.wait_for_selector(".turn.his.growing")
    assert turns(page) == ["Chào", "Hừ! (1) "]
    assert page.inner_text("#announce") == ""
    assert page.locator("#stop").is_visible() and not page.locator("#send").is_visible()
    teller.gate.set()
    page.wait_for_selector("#send:visible")
    assert turns(page) == ["Chào", "Hừ! (1) Ngươi nói: Chào"]
    assert page.inner_text("#announce") == "Inosuke: Hừ! (1) Ngươi nói: Chào"


def test_the_conversation_so_far_goes_along(visit, teller):
    page = visit()
    send(page, "một")
    send(page, "hai")
    assert teller.seen[1] == [("user", "một"), ("assistant", "Hừ! (1) Ngươi nói: một"), ("user", "hai")]


def test_shift_enter_is_a_new_line(visit, teller):
    page = visit()
    page.fill("#input", "một")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("hai")
    page.keyboard.press("Enter")
    reply_says(page, "(1) Ngươi")
    assert teller.seen[0] == [("user", "một\nhai")]


@pytest.mark.parametrize("how", ["button", "Escape"])
def test_stopping_keeps_what_was_said_and_stops_the_engine(visit, teller, how):
    page = visit()
    teller.gate.clear()
    send(page, "Chào", wait=False)
    page.wait_for_selector(".turn.his.growing")
    page.click("#stop") if how == "button" else page.keyboard.press("Escape")
    page.wait_for_selector("#send:visible")
    assert turns(page) == ["Chào", "Hừ! (1) "]
    assert last_note(page) == "Đã dừng."
    assert teller.stopped.wait(5)


def test_answering_again_replaces_the_reply(visit, teller):
    page = visit()
    send(page, "Chào")
    act(page, 1, "Trả lời lại")
    reply_says(page, "(2) Ngươi")
    assert turns(page) == ["Chào", "Hừ! (2) Ngươi nói: Chào"]
    assert teller.seen[1] == [("user", "Chào")]


def test_editing_the_last_message_asks_anew_from_there(visit, teller):
    page = visit()
    send(page, "một")
    send(page, "hai")
    act(page, 2, "Sửa")
    assert page.input_value("#input") == "hai"
    send(page, "ba", wait=False)
    reply_says(page, "nói: ba")
    assert turns(page) == ["một", "Hừ! (1) Ngươi nói: một", "ba", "Hừ! (3) Ngươi nói: ba"]
    assert teller.seen[2][-1] == ("user", "ba") and len(teller.seen[2]) == 3


def test_escape_leaves_the_edit_and_nothing_has_changed(visit, teller):
    page = visit()
    send(page, "một")
    act(page, 0, "Sửa")
    page.keyboard.press("Escape")
    assert page.input_value("#input") == "" and not page.locator("#editing").is_visible()
    assert len(turns(page)) == 2


def test_a_reload_brings_everything_back(visit):
    page = visit()
    send(page, "Chào")
    before = turns(page)
    page.reload()
    page.wait_for_selector(".turn")
    assert turns(page) == before
    assert page.locator("#conversations .open").all_inner_texts() == ["Chào"]


def test_a_reload_in_the_middle_of_an_answer_keeps_its_beginning(visit, teller):
    page = visit()
    teller.gate.clear()
    send(page, "Chào", wait=False)
    page.wait_for_selector(".turn.his.growing")
    page.reload()
    page.wait_for_selector(".turn.his")
    assert turns(page) == ["Chào", "Hừ! (1) "]
    assert last_note(page) == "Câu trả lời bị đứt giữa chừng."
    assert teller.stopped.wait(5)


def test_conversations_are_begun_named_switched_and_deleted(visit):
    page = visit()
    send(page, "một")
    page.click("#new")
    assert turns(page) == []
    send(page, "hai")
    names = page.locator("#conversations .open")
    assert names.all_inner_texts() == ["hai", "một"]
    page.locator("#conversations .current").get_by_label("Đổi tên").click()
    page.fill("#dialog-input", "Trận đấu")
    page.keyboard.press("Enter")
    expect(page.locator("#conversations .current .open")).to_have_text("Trận đấu")
    page.locator("#conversations .open", has_text="một").click()
    assert turns(page)[0] == "một"
    page.locator("#conversations .current").get_by_label("Xoá").click()
    page.click("#dialog-no")
    assert names.count() == 2
    page.locator("#conversations .current").get_by_label("Xoá").click()
    page.click("#dialog-yes")
    expect(names).to_have_count(1)
    assert turns(page)[0] == "hai"
    page.reload()
    page.wait_for_selector(".turn")
    assert names.all_inner_texts() == ["Trận đấu"]


def test_a_conversation_is_downloaded_as_json(visit):
    page = visit()
    send(page, "Ngươi là ai?")
    with page.expect_download() as waiting:
        page.get_by_label("Tải về (JSON)").click()
    assert waiting.value.suggested_filename == "Ngươi-là-ai.json"
    saved = json.loads(Path(waiting.value.path()).read_text(encoding="utf-8"))
    assert [(m["role"], m["content"]) for m in saved["messages"]] == [
        ("user", "Ngươi là ai?"),
        ("assistant", "Hừ! (1) Ngươi nói: Ngươi là ai?"),
    ]


def test_an_answer_goes_on_while_another_conversation_is_open(visit, teller):
    page = visit()
    teller.gate.clear()
    send(page, "một", wait=False)
    page.wait_for_selector(".turn.his.growing")
    page.click("#new")
    assert turns(page) == [] and page.locator("#send").is_visible()
    teller.gate.set()
    send(page, "hai")
    assert turns(page) == ["hai", "Hừ! (2) Ngươi nói: hai"]
    page.locator("#conversations .open", has_text="một").click()
    assert turns(page) == ["một", "Hừ! (1) Ngươi nói: một"]


def test_markup_is_shown_as_the_text_that_it_is(visit):
    page = visit()
    evil = "<img src=x onerror=alert(1)><script>document.title='hacked'</script>"
    send(page, evil)
    assert turns(page) == [evil, f"Hừ! (1) Ngươi nói: {evil}"]
    assert page.locator(".turn .text *").count() == 0
    assert page.locator("#conversations img").count() == 0
    assert page.title() == "Inosuke"


def test_a_lost_connection_is_said_and_can_be_retried(visit):
    page = visit(allow=["ERR_FAILED"])
    send(page, "một")
    page.route("**/api/chat", lambda route: route.abort())
    send(page, "hai", wait=False)
    page.wait_for_selector("#trouble:visible")
    assert page.inner_text("#trouble-text") == "Mất kết nối. Tin nhắn vẫn còn đây."
    assert turns(page)[-1] == "hai"
    page.unroute("**/api/chat")
    page.click("#retry")
    reply_says(page, "nói: hai")
    assert not page.locator("#trouble").is_visible()


def test_a_failed_retry_does_not_cost_the_former_reply(visit):
    page = visit(allow=["ERR_FAILED"])
    send(page, "một")
    before = turns(page)
    page.route("**/api/chat", lambda route: route.abort())
    act(page, 1, "Trả lời lại")
    page.wait_for_selector("#trouble:visible")
    assert turns(page) == before


def test_an_engine_that_crashes_leaves_the_beginning_and_a_retry(visit, teller):
    page = visit()
    teller.crash = True
    send(page, "Chào", wait=False)
    page.wait_for_selector("#trouble:visible")
    assert turns(page) == ["Chào", "Hừ! (1) "]
    teller.crash = False
    page.click("#retry")
    reply_says(page, "(2) Ngươi")
    assert turns(page) == ["Chào", "Hừ! (2) Ngươi nói: Chào"]


def test_too_long_a_message_stays_in_the_box(visit, teller):
    page = visit()
    send(page, "x" * 4001, wait=False)
    assert "Dài quá: 4001 ký tự, nhiều nhất 4000." in page.inner_text("#trouble")
    assert len(page.input_value("#input")) == 4001 and teller.seen == []


def test_pasted_control_characters_do_not_get_in_the_way(visit, teller):
    page = visit()
    send(page, "a\u0000b\u0007c")
    assert teller.seen[0] == [("user", "abc")]


def test_the_language_can_be_changed_and_is_kept(visit):
    page = visit()
    assert page.get_attribute("html", "lang") == "vi"
    page.click("#language")
    assert page.get_attribute("html", "lang") == "en"
    assert page.get_attribute("#input", "placeholder") == "Say something to Inosuke…"
    page.reload()
    assert page.inner_text("#new") == "New conversation"


def test_both_languages_have_the_same_words(visit):
    page = visit()
    keys = page.evaluate(
        """async () => {
             const i18n = await import('/static/i18n.js');
             const known = [...document.querySelectorAll('[data-i18n],[data-i18n-label],[data-i18n-alt]')]
               .map(e => e.dataset.i18n ?? e.dataset.i18nLabel ?? e.dataset.i18nAlt);
             const missing = [];
             for (const code of ['vi', 'en']) {
               i18n.setLanguage(code);
               missing.push(...known.filter(k => !i18n.t(k)).map(k => code + k));
             }
             return missing;
           }"""
    )
    assert keys == []


@pytest.mark.parametrize("system", ["light", "dark"])
def test_light_and_dark_follow_the_system_until_one_is_chosen(visit, system):
    page = visit(color_scheme=system)
    ground = "getComputedStyle(document.body).backgroundColor"
    colours = {"light": "rgb(244, 241, 236)", "dark": "rgb(23, 26, 29)"}
    assert page.evaluate(ground) == colours[system]
    page.click("#theme")
    other = {"light": "dark", "dark": "light"}[system]
    assert page.evaluate(ground) == colours[other]
    page.reload()
    assert page.evaluate(ground) == colours[other]


def test_a_phone_has_no_sideways_scroll_and_a_drawer(visit):
    page = visit(viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    send(page, "Đây-là-một-từ-rất-dài" * 12)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("document.getElementById('scroller').scrollWidth") == 360
    assert not page.locator("#new").is_visible()
    page.click("#sidebar-open")
    page.locator("#new").click()
    assert turns(page) == []
    page.wait_for_selector("#new", state="hidden")


def test_everything_that_can_be_pressed_has_a_name(visit):
    page = visit()
    send(page, "Chào")
    nameless = page.eval_on_selector_all(
        "button, input, textarea, img",
        """all => all.filter(e => e.offsetParent && !(e.getAttribute('aria-label') || e.textContent.trim()
             || e.labels?.length || e.getAttribute('aria-labelledby') || e.hasAttribute('alt')))
             .map(e => e.outerHTML)""",
    )
    assert nameless == []


def test_the_whole_way_can_be_gone_by_keyboard(visit, teller):
    page = visit()
    assert page.evaluate("document.activeElement.id") == "input"
    page.keyboard.type("Chào")
    page.keyboard.press("Enter")
    page.wait_for_selector(".turn.his:not(.growing):not(.waiting)")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Trả lời lại"
    page.keyboard.press("Enter")
    reply_says(page, "(2) Ngươi")
    assert page.evaluate("document.activeElement.id") == "input"


def test_two_tabs_do_not_overwrite_each_other(visit, url):
    first = visit()
    second = first.context.new_page()
    second.goto(url)
    second.wait_for_selector("#prompts button")
    send(first, "một")
    send(second, "hai")
    expect(first.locator("#conversations li")).to_have_count(2)
    assert sorted(first.locator("#conversations .open").all_inner_texts()) == ["hai", "một"]
