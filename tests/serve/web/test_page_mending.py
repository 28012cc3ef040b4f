"""Replies as Markdown; what a visitor can do: edit, continue, delete; greetings, settings, waiting."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from serve import create_app
from tests.tools.chromium import act, answered, feedback, needs_chromium, reply_says, send, stored, turns

pytestmark = needs_chromium

ROOT = Path(__file__).parents[3]
VENDOR = ROOT / "serve" / "web" / "static" / "vendor" / "markdown-it.js"


def choose(page, index, entry):
    """Choose from the menu of a turn."""
    turn = page.locator(".turn").nth(index)
    turn.hover()
    turn.get_by_label("Thêm", exact=True).click()
    page.get_by_role("menuitem", name=entry, exact=True).click()


def requests(page):
    """What the page asks at api/chat from now on."""
    asked = []
    page.on("request", lambda one: asked.append(json.loads(one.post_data)) if one.url.endswith("api/chat") else None)
    return asked


def test_actions_bold_lists_code_and_links_are_shown_as_such(visit):
    page = visit()
    text = "*đập bàn* **Ta** `x<y`\ndòng hai\n\n- một\n- hai\n\n```\n<i>mã</i>\n```\n[trang](https://example.org/?a=1)"
    page.fill("#input", text)
    page.keyboard.press("Enter")
    answered(page)
    said = page.locator(".turn.message .text")
    assert said.locator("em").inner_text() == "đập bàn" and said.locator("strong").inner_text() == "Ta"
    assert said.locator("p").first.inner_text() == "đập bàn Ta x<y\ndòng hai"
    assert said.locator("ul li").all_inner_texts() == ["một", "hai"]
    assert said.locator("pre code").inner_text() == "<i>mã</i>"
    link = said.locator("a")
    assert link.get_attribute("href") == "https://example.org/?a=1"
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noreferrer nofollow")
    assert page.locator("#conversations .name").inner_text() == "đập bàn Ta x<y"


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](//example.org)",
    "![x](https://example.org/a.png)",
    "<a href='javascript:alert(1)'>x</a>",
    "| a | b |\n|---|---|\n| c | d |",
    '<div style="position:fixed">x</div>',
    "&lt;script&gt; &#60;b&#62;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_but_the_known_markup_becomes_an_element(visit, text):
    page = visit()
    page.fill("#input", text)
    page.keyboard.press("Enter")
    answered(page)
    made = page.eval_on_selector_all(".turn .text *", "all => all.map(e => e.localName)")
    assert set(made) <= {"p", "em", "strong", "ul", "ol", "li", "a", "code", "pre", "span"}
    links = page.eval_on_selector_all(".turn .text a[href]", "all => all.map(e => e.protocol)")
    assert set(links) <= {"https:", "http:", "mailto:"}


def test_the_library_is_the_one_that_the_lock_names():
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    version = lock["packages"]["node_modules/markdown-it"]["version"]
    assert VENDOR.read_text(encoding="utf-8").startswith(f"/*! markdown-it {version} ")


def test_the_library_is_npms_own():
    package = ROOT / "node_modules" / "markdown-it"
    if not package.is_dir():
        pytest.skip("node_modules is missing: npm ci")
    assert VENDOR.read_bytes() == (package / "dist" / "browser" / "markdown-it.esm.min.mjs").read_bytes()


def test_the_last_reply_is_edited_as_another_version(visit, teller):
    page = visit()
    send(page, "một")
    choose(page, 1, "Sửa")
    expect(page.locator("#editing")).to_contain_text("Đang sửa lời của Inosuke.")
    page.fill("#input", "Ta nói khác!")
    page.keyboard.press("Enter")
    assert turns(page) == ["một", "Ta nói khác!"]
    expect(page.locator(".turn .count")).to_have_text("2/2")
    send(page, "hai")
    assert teller.seen[1] == [("user", "một"), ("assistant", "Ta nói khác!"), ("user", "hai")]


def test_an_older_reply_is_edited_in_its_place_and_can_be_undone(visit, teller):
    page = visit()
    send(page, "một")
    send(page, "hai")
    before = turns(page)
    choose(page, 1, "Sửa")
    page.fill("#input", "Ta nói khác!")
    page.keyboard.press("Enter")
    assert turns(page) == [before[0], "Ta nói khác!", *before[2:]]
    page.locator("#toast button").click()
    assert turns(page) == before
    choose(page, 1, "Sửa")
    page.fill("#input", "Ta nói khác!")
    page.keyboard.press("Enter")
    stored(page)
    page.reload()
    page.wait_for_selector(".turn")
    assert turns(page)[1] == "Ta nói khác!" and len(teller.seen) == 2


def test_a_reply_is_continued_where_it_ended(visit, teller):
    page = visit()
    expect(page.locator("#status")).not_to_be_empty()
    send(page, "Chào")
    asked = requests(page)
    act(page, 1, "Nói tiếp câu này")
    reply_says(page, "(2) Ngươi nói: Hừ! (1)")
    assert turns(page)[1].startswith("Hừ! (1) Ngươi nói: ChàoHừ! (2)") and page.locator(".turn .count").count() == 0
    assert asked[0]["continue"] is True
    assert teller.seen[1] == [("user", "Chào"), ("assistant", "Hừ! (1) Ngươi nói: Chào")]
    before = turns(page)
    stored(page)
    page.reload()
    page.wait_for_selector(".turn")
    assert turns(page) == before


def test_where_the_engine_cannot_continue_there_is_no_button(visit, teller):
    teller.honours = frozenset()
    page = visit()
    expect(page.locator("#status")).not_to_be_empty()
    send(page, "Chào")
    assert page.get_by_label("Nói tiếp câu này").count() == 0


def test_a_message_is_deleted_from_what_is_sent_and_from_the_storage_and_can_be_undone(visit, teller):
    page = visit()
    send(page, "một")
    send(page, "hai")
    before = turns(page)
    choose(page, 1, "Xoá tin nhắn này")
    assert turns(page) == [before[0], *before[2:]]
    (kept,) = stored(page).values()
    assert [(n["content"], n["gone"]) for n in kept["nodes"] if n.get("gone")] == [("", True)]
    page.locator("#toast button").click()
    assert turns(page) == before
    choose(page, 1, "Xoá tin nhắn này")
    send(page, "ba")
    assert teller.seen[2] == [("user", "một"), ("user", "hai"), ("assistant", before[3]), ("user", "ba")]
    stored(page)
    page.reload()
    page.wait_for_selector(".turn")
    assert turns(page)[:3] == [before[0], *before[2:]]


def test_a_deleted_message_stays_deleted_in_the_other_tab(visit, url):
    first = visit()
    send(first, "một")
    second = first.context.new_page()
    second.goto(url)
    second.wait_for_selector(".turn")
    choose(first, 1, "Xoá tin nhắn này")
    expect(second.locator(".turn")).to_have_count(1)
    send(second, "hai")
    expect(first.locator(".turn")).to_have_count(3)
    assert turns(first)[:2] == ["một", "hai"]


def test_what_the_character_would_rather_say_goes_into_the_conversation(visit, teller):
    routes = feedback(True) | {"**/api/feedback": lambda route: route.fulfill(status=204)}
    page = visit(routes=routes)
    expect(page.locator("#status")).not_to_be_empty()
    send(page, "Chào")
    act(page, 1, "Gợi ý câu trả lời hay hơn…")
    page.click("#dialog-yes")
    page.fill("#dialog-area", "Ta thích thế này hơn!")
    page.click("#dialog-yes")
    expect(page.locator(".turn .text").last).to_have_text("Ta thích thế này hơn!")
    send(page, "hai")
    assert teller.seen[1][1] == ("assistant", "Ta thích thế này hơn!")


@pytest.fixture
def greeted(persona, live, teller):
    greetings = {"vi": ("Chào một!", "Chào hai!", "Chào ba!")}
    with live(
        create_app({"ENGINE": teller, "PERSONA": persona.model_copy(update={"greetings": greetings})})
    ) as address:
        yield address


def test_the_greeting_that_the_visitor_turned_to_is_the_first_message(visit, greeted, teller):
    page = visit(address=greeted)
    first = page.inner_text("#greeting")
    page.get_by_label("Lời chào sau").click()
    second = page.inner_text("#greeting")
    assert {first, second} < {"Chào một!", "Chào hai!", "Chào ba!"} and first != second
    page.locator("#input").press("ArrowLeft")
    expect(page.locator("#greeting")).to_have_text(first)
    send(page, "Chào ngươi")
    assert turns(page)[:2] == [first, "Chào ngươi"]
    assert teller.seen[0] == [("assistant", first), ("user", "Chào ngươi")]
    assert page.locator(".turn").first.get_by_label("Trả lời lại").count() == 0


def test_the_visitors_settings_go_along_and_only_those_that_the_server_knows(visit, teller):
    teller.honours = frozenset({"continue_final_message", "top_k"})
    page = visit()
    expect(page.locator("#status")).not_to_be_empty()
    page.click("#gear")
    names = page.eval_on_selector_all("#sampling-list input", "all => all.map(e => e.name)")
    assert names == ["temperature", "top_p", "top_k", "max_new_tokens"]  # what the engine of this test honours
    page.locator("[name=temperature]").fill("1.25")
    page.click("#preferences .yes")
    send(page, "một")
    assert teller.settings[0].temperature == 1.25
    assert teller.settings[0].model_fields_set >= {"temperature"}
    page.click("#gear")
    assert page.locator("[name=temperature]").input_value() == "1.25"
    page.click("#sampling-reset")
    page.click("#preferences .yes")
    asked = requests(page)
    send(page, "hai")
    assert "settings" not in asked[0]


def test_quick_replies_are_said_with_one_click(visit, teller):
    page = visit()
    page.click("#gear")
    page.fill("#quick-text", "Kể tiếp đi\n\nTại sao?")
    page.click("#preferences .yes")
    expect(page.locator("#quick")).to_be_hidden()  # an empty conversation has its own openings
    send(page, "một")
    page.locator("#quick button", has_text="Tại sao?").click()
    reply_says(page, "nói: Tại sao?")
    assert page.locator("#quick button").all_inner_texts() == ["Kể tiếp đi", "Tại sao?"]


SPOKEN = """
  window.spoken = [];
  window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
  Object.defineProperty(window, "speechSynthesis", { value: {
    speaking: false, cancel() {}, getVoices: () => [], speak: (one) => window.spoken.push([one.text, one.lang]) } });"""


def test_replies_are_read_aloud_once_the_visitor_wants_it(visit):
    page = visit()
    page.add_init_script(SPOKEN)
    page.reload()
    page.wait_for_selector("#prompts button")
    send(page, "*một*")
    assert page.evaluate("window.spoken") == []
    choose(page, 1, "Đọc to")
    assert page.evaluate("window.spoken") == [["Hừ! (1) Ngươi nói: một", "vi-VN"]]
    page.click("#gear")
    page.check("#read-aloud")
    page.click("#preferences .yes")
    send(page, "hai")
    assert page.evaluate("window.spoken")[1:] == [["Hừ! (2) Ngươi nói: hai", "vi-VN"]]


def busy(times, seconds):
    """A route that refuses so many times, and then lets the server answer."""
    left = [times]

    def answer(route):
        if not left[0]:
            route.fallback()
            return
        left[0] -= 1
        error = {"error": {"code": "busy", "message": "full"}}
        route.fulfill(status=503, json=error, headers={"Retry-After": str(seconds)})

    return answer


def test_a_busy_server_is_waited_for_as_long_as_it_asks(visit, teller):
    page = visit(allow=["503"], routes={"**/api/chat": busy(2, 30)})
    page.clock.install()
    send(page, "một", wait=False)
    text = page.locator("#trouble-text")
    expect(text).to_contain_text("Tin nhắn sẽ tự được gửi lại.")
    expect(page.locator("#wait-left")).to_be_visible()
    page.clock.run_for(20_000)
    assert teller.seen == []
    page.clock.run_for(15_000)
    expect(text).to_contain_text("Tin nhắn sẽ tự được gửi lại.")
    page.clock.run_for(35_000)
    reply_says(page, "nói: một")
    expect(page.locator("#trouble")).to_be_hidden()


def test_waiting_can_be_called_off_and_the_message_sent_later(visit, teller):
    page = visit(allow=["503"], routes={"**/api/chat": busy(1, 30)})
    page.clock.install()
    send(page, "một", wait=False)
    page.click("#wait-cancel")
    expect(page.locator("#trouble-text")).to_contain_text("Đợi một lát rồi thử lại.")
    page.clock.run_for(120_000)
    assert page.evaluate("fetch('readyz').then(response => response.ok)") and teller.seen == []
    page.click("#retry")
    reply_says(page, "nói: một")


COPIED = "navigator.clipboard.readText()"


def test_copying_works_on_plain_http(visit, browser):
    page = visit(permissions=["clipboard-read"])
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")  # as without https
    send(page, "chép *cái* này")
    act(page, 0, "Chép")
    expect(page.locator(".turn").first.get_by_label("Đã chép")).to_be_visible()
    other = page.context.new_page()
    other.goto(page.url)
    other.bring_to_front()
    assert other.evaluate(COPIED) == "chép *cái* này"
