"""The page in a real browser, against the real server: chatting, and what can interrupt it."""

import json
import mimetypes

import pytest
from playwright.sync_api import expect

from serve import create_app
from serve.engine import Delta, Done
from tests.tools.chromium import act, answered, last_note, menu, names, needs_chromium, reply_says, send, turns

pytestmark = needs_chromium


def test_the_empty_page_offers_openings_and_a_notice(visit, teller):
    page = visit()
    assert page.locator("#empty").is_visible()
    assert "không phải bản chính thức" in page.inner_text(".notice")
    page.locator("#prompts button").first.click()
    page.wait_for_selector(".turn.reply:not(.growing):not(.waiting)")
    assert teller.seen == [[("user", "Ngươi là ai?")]]
    assert not page.locator("#empty").is_visible()


def test_a_reply_grows_word_by_word_and_is_read_out_once_it_is_complete(visit, teller):
    page = visit()
    teller.gate.clear()
    send(page, "Chào", wait=False)
    page.wait_for_selector(".turn.reply.growing")
    assert turns(page) == ["Chào", "Hừ! (1)"]
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
    page.wait_for_selector(".turn.reply.growing")
    page.click("#stop") if how == "button" else page.keyboard.press("Escape")
    page.wait_for_selector("#send:visible")
    assert turns(page) == ["Chào", "Hừ! (1)"]
    assert last_note(page) == "Đã dừng."
    assert teller.stopped.wait(120)


def test_a_reload_brings_everything_back(visit):
    page = visit()
    send(page, "Chào")
    before = turns(page)
    page.reload()
    page.wait_for_selector(".turn")
    assert turns(page) == before
    assert page.locator("#conversations .open").all_inner_texts() == ["Chào"]


def test_stopping_before_the_first_word_leaves_a_message_that_can_be_asked_again(visit, teller):
    page = visit()
    asked = []
    page.route("**/api/chat", lambda route: asked.append(route))  # and nothing comes
    send(page, "Chào", wait=False)
    page.wait_for_selector(".turn.reply.waiting")
    page.keyboard.press("Escape")
    expect(page.locator("#trouble-text")).to_have_text("Tin nhắn này chưa có câu trả lời.")
    assert turns(page) == ["Chào"]
    page.unroute("**/api/chat")
    page.click("#retry")
    reply_says(page, "nói: Chào")


def test_a_reload_in_the_middle_of_an_answer_keeps_its_beginning(visit, teller):
    page = visit()
    teller.gate.clear()
    send(page, "Chào", wait=False)
    page.wait_for_selector(".turn.reply.growing")
    page.reload()
    page.wait_for_selector(".turn.reply")
    assert turns(page) == ["Chào", "Hừ! (1)"]
    assert last_note(page) == "Câu trả lời bị đứt giữa chừng."
    assert teller.stopped.wait(120)


def test_an_answer_continues_while_another_conversation_is_open(visit, teller):
    page = visit()
    teller.gate.clear()
    send(page, "một", wait=False)
    page.wait_for_selector(".turn.reply.growing")
    page.click("#new")
    assert turns(page) == [] and page.locator("#send").is_visible()
    teller.gate.set()
    send(page, "hai")
    assert turns(page) == ["hai", "Hừ! (2) Ngươi nói: hai"]
    page.locator("#conversations .open", has_text="một").click()
    expect(page.locator(".turn .text").first).to_have_text("một")
    assert turns(page) == ["một", "Hừ! (1) Ngươi nói: một"]


def test_markup_is_shown_as_the_text_that_it_is(visit):
    page = visit()
    evil = "<img src=x onerror=alert(1)><script>document.title='hacked'</script>"
    send(page, evil)
    assert turns(page) == [evil, f"Hừ! (1) Ngươi nói: {evil}"]
    assert page.locator(".turn .text :not(p)").count() == 0
    assert page.locator("#conversations img").count() == 0
    assert page.title() == "Inosuke"


def test_a_lost_connection_is_reported_and_the_message_is_sent_again(visit, teller):
    page = visit(allow=["ERR_FAILED"])
    send(page, "một")
    for path in ("**/api/chat", "**/readyz"):
        page.route(path, lambda route: route.abort())
    send(page, "hai", wait=False)
    page.wait_for_selector("#trouble:visible")
    assert page.inner_text("#trouble-text") == "Mất kết nối. Tin nhắn vẫn còn đây; khi có mạng, tin được gửi lại."
    assert turns(page)[-1] == "hai" and page.locator("#retry").is_visible()
    page.unroute("**/api/chat")
    page.unroute("**/readyz")
    # no button is pressed
    reply_says(page, "nói: hai")
    assert not page.locator("#trouble").is_visible()
    assert len(teller.seen) == 2


def cut_once(page):
    """Let the connection of the next answer break after two words."""
    body = 'event: delta\ndata: {"text": "Ta đang "}\n\n'
    kind = {"Content-Type": "text/event-stream"}
    page.route("**/api/chat", lambda route: route.fulfill(body=body, headers=kind), times=1)


def test_a_reply_that_breaks_off_is_continued_once_by_itself(visit, teller):
    page = visit()
    expect(page.locator("#status")).not_to_be_empty()
    cut_once(page)
    teller.gate.clear()
    send(page, "một", wait=False)
    reply_says(page, "Ta đang Hừ! (1)")
    assert page.locator(".turn .count").count() == 0  # the same reply grows
    teller.gate.set()
    answered(page)
    assert turns(page) == ["một", "Ta đang Hừ! (1) Ngươi nói: Ta đang"]
    assert teller.seen == [[("user", "một"), ("assistant", "Ta đang ")]]
    assert page.locator(".turn .note").last.inner_text() == ""


def test_where_it_cannot_be_continued_it_stays_until_another_reply_begins(visit, teller):
    teller.honours = frozenset()
    page = visit()
    shown = []

    def look(route):
        shown.append((turns(page), last_note(page), page.locator("#stop").is_visible()))
        route.continue_()

    page.route("**/api/chat", look)
    cut_once(page)  # first: the newest route comes first
    send(page, "một", wait=False)
    reply_says(page, "nói: một")
    assert shown == [(["một", "Ta đang"], "Câu trả lời bị đứt giữa chừng.", True)]
    assert turns(page) == ["một", "Hừ! (1) Ngươi nói: một"]
    act(page, 1, "Bản trước")
    assert turns(page) == ["một", "Ta đang"]


def test_the_page_waits_for_a_server_that_restarts(visit, teller):
    page = visit(allow=["503"])
    loading = {"status": 503, "json": {"error": {"code": "loading", "message": "the model is being loaded."}}}
    cut = {"body": 'event: delta\ndata: {"text": "Ta đang "}\n\n', "headers": {"Content-Type": "text/event-stream"}}
    # It is away in the middle of an answer, then loads; and loads again although it reported that it was ready.
    chat, ready = [cut, loading], [loading, None, loading]
    said = []

    def next_of(answers):
        def give(route):
            said.append(page.inner_text("#trouble-text"))
            answer = answers.pop(0) if answers else None
            route.fulfill(**answer) if answer else route.continue_()

        return give

    page.route("**/api/chat", lambda route: next_of(chat)(route))
    page.route("**/readyz", next_of(ready))
    send(page, "một", wait=False)
    reply_says(page, "nói: Ta đang")
    assert chat == ready == [] and len(teller.seen) == 1
    assert "Inosuke còn đang thức dậy. Tin nhắn vẫn còn đây; khi Inosuke sẵn sàng, tin được gửi lại." in said
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_second_failure_waits_for_the_visitor(visit, teller):
    page = visit(allow=["ERR_FAILED"])
    asked, looked = [], []

    def refuse(route):
        asked.append(route.request.url)
        route.abort()

    page.route("**/api/chat", refuse)
    page.on("request", lambda request: looked.append(request.url) if "readyz" in request.url else None)
    page.clock.install()
    send(page, "một", wait=False)
    expect(page.locator("#trouble-text")).to_have_text("Mất kết nối. Tin nhắn vẫn còn đây.")
    page.clock.run_for(60_000)
    # A request of the test's own: one that the page had sent before would have been seen by now.
    assert page.evaluate("fetch('readyz').then(response => response.ok)")
    assert len(asked) == 2 and len(looked) == 2
    page.unroute("**/api/chat")
    page.click("#retry")
    reply_says(page, "nói: một")
    assert not page.locator("#trouble").is_visible()


def test_a_deleted_conversation_is_not_asked_again(visit, teller):
    page = visit(allow=["ERR_FAILED"])
    for path in ("**/api/chat", "**/readyz"):
        page.route(path, lambda route: route.abort())
    send(page, "một", wait=False)
    page.wait_for_selector("#trouble:visible")
    menu(page, "một", "Xoá")
    page.click("#dialog-yes")
    page.unroute("**/api/chat")
    page.unroute("**/readyz")
    expect(page.locator("#toast")).to_have_text("Đã kết nối lại.")
    assert names(page) == [] and teller.seen == []


def test_an_offline_machine_is_reported_and_continues_by_itself(visit, teller):
    page = visit(allow=["ERR_INTERNET_DISCONNECTED"])
    page.context.set_offline(True)
    expect(page.locator("#trouble")).to_contain_text("ngoại tuyến")
    send(page, "một", wait=False)
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator("#trouble")).to_contain_text("ngoại tuyến")
    page.context.set_offline(False)
    reply_says(page, "nói: một")
    expect(page.locator("#trouble")).to_be_hidden()


def test_waiting_visitors_see_their_place(visit, teller):
    page = visit()
    teller.gate.clear()
    for text in ("một", "hai"):  # the engine has two slots
        send(page, text, wait=False)
        page.wait_for_selector(".turn.reply.growing")
        page.click("#new")
    send(page, "ba", wait=False)
    expect(page.locator(".turn.reply .note")).to_have_text("Đông người quá: bạn đứng thứ 1 trong hàng.")
    assert page.inner_text("#announce") == "Đông người quá: bạn đứng thứ 1 trong hàng."
    teller.gate.set()
    reply_says(page, "nói: ba")


def test_an_engine_that_crashes_leaves_the_beginning_and_a_retry(visit, teller):
    page = visit()
    teller.crash = True
    send(page, "Chào", wait=False)
    page.wait_for_selector("#trouble:visible")
    assert turns(page) == ["Chào", "Hừ! (1)"]
    teller.crash = False
    page.click("#retry")
    reply_says(page, "(2) Ngươi")
    assert turns(page) == ["Chào", "Hừ! (2) Ngươi nói: Chào"]


SAID = {
    "conversation_too_long": "Tin nhắn cuối quá dài với Inosuke: hãy sửa lại cho ngắn hơn.",
    "engine_failed": "Có lỗi khi đang trả lời. Hãy thử lại.",
    "internal_error": "Có lỗi khi đang trả lời. Hãy thử lại.",
    "something_new": "Máy chủ không nhận được yêu cầu này. Hãy thử lại; nếu vẫn vậy thì tải lại trang.",
}


@pytest.mark.parametrize("code", SAID)
def test_refusals_are_reported_in_the_language_of_the_page(visit, code):
    error = {"error": {"code": code, "message": "the last message does not fit"}}
    page = visit(allow=["400"], routes={"**/api/chat": lambda route: route.fulfill(status=400, json=error)})
    send(page, "một", wait=False)
    expect(page.locator("#trouble-text")).to_have_text(SAID[code])
    # Not where asking again can never help.
    expect(page.locator("#retry")).to_be_visible(visible=code != "conversation_too_long")


def test_too_long_a_message_stays_in_the_box(visit, teller):
    page = visit()
    send(page, "x" * 4001, wait=False)
    assert "Dài quá: 4001 ký tự, nhiều nhất 4000." in page.inner_text("#trouble")
    assert len(page.input_value("#input")) == 4001 and teller.seen == []


def test_pasted_control_characters_do_not_get_in_the_way(visit, teller):
    page = visit()
    send(page, "a\u0000b\u0007c")
    assert teller.seen[0] == [("user", "abc")]


def test_control_characters_in_a_reply_do_not_block_its_conversation(visit, teller, monkeypatch):
    page = visit()
    monkeypatch.setattr(teller, "stream", lambda *_: iter([Delta("Hừ\x0b! \x00"), Done("stop", 1, 2)]))
    send(page, "một")
    monkeypatch.setattr(teller, "stream", lambda *_: iter([Delta("\x00"), Done("stop", 1, 2)]))
    send(page, "hai", wait=False)
    expect(page.locator("#trouble-text")).to_have_text("Tin nhắn này chưa có câu trả lời.")
    monkeypatch.undo()
    page.click("#retry")
    reply_says(page, "nói: hai")
    assert teller.seen == [[("user", "một"), ("assistant", "Hừ! "), ("user", "hai")]]
    # The same in a file, where nothing may be left of a message.
    said = [("user", "một"), ("assistant", "\x01"), ("user", "ba"), ("assistant", "\x02Hả?")]
    file = json.dumps({"messages": [{"role": role, "content": content} for role, content in said]})
    page.set_input_files("#import-file", {"name": "a.json", "mimeType": "text/plain", "buffer": file.encode()})
    expect(page.locator(".turn").last).to_contain_text("Hả?")
    send(page, "bốn")
    assert teller.seen[1] == [("user", "một"), ("user", "ba"), ("assistant", "Hả?"), ("user", "bốn")]


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
    words = page.evaluate(
        """async () => {
             const { WORDS } = await import('/static/i18n.js');
             const named = [...document.querySelectorAll('[data-i18n],[data-i18n-label],[data-i18n-alt]')]
               .map(e => e.dataset.i18n ?? e.dataset.i18nLabel ?? e.dataset.i18nAlt);
             return { vi: Object.keys(WORDS.vi), en: Object.keys(WORDS.en), named };
           }"""
    )
    assert words["vi"] == words["en"]
    assert set(words["named"]) <= set(words["vi"])


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


def test_modules_are_javascript_even_where_the_machine_calls_them_text(persona, teller, monkeypatch):
    mimetypes.init()
    monkeypatch.setitem(mimetypes.types_map, ".js", "text/plain")  # as a Windows registry may
    app = create_app({"ENGINE": teller, "PERSONA": persona})
    with app.test_client().get("/static/main.js") as response:
        assert response.mimetype == "text/javascript"


def test_a_right_to_left_text_is_laid_out_from_the_right_in_each_paragraph(visit):
    page = visit()
    page.fill("#input", "مرحبا\n\nChào!")
    direction = "node => getComputedStyle(node).direction"
    assert page.locator("#input").evaluate(direction) == "rtl"
    page.keyboard.press("Enter")
    said = page.locator(".message .text p")
    expect(said).to_have_count(2)
    assert [said.nth(n).evaluate(direction) for n in range(2)] == ["rtl", "ltr"]
    expect(page.locator("#conversations .name")).to_have_css("direction", "rtl")
