"""Answering again and editing: both branch, and every branch stays within reach."""

import json

from playwright.sync_api import expect

from tests.tools.chromium import PHONE, act, answered, needs_chromium, reply_says, send, turns

pytestmark = needs_chromium

FIRST, SECOND = "Hừ! (1) Ngươi nói: Chào", "Hừ! (2) Ngươi nói: Chào"


def count(page, index=-1):
    return page.locator(".turn .count").nth(index)


def swipe(page, index, by):
    """Move a finger over a turn, in pixels, with the events that Chromium gets from a touch screen."""
    box = page.locator(".turn .bubble").nth(index).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    touch("touchStart", {"x": x, "y": y})
    for part in (0.3, 0.6, 1):
        touch("touchMove", {"x": x + by * part, "y": y})
    touch("touchEnd")
    session.detach()


def test_answering_again_keeps_the_former_reply_as_an_alternative(visit, teller):
    page = visit()
    send(page, "Chào")
    expect(page.locator(".turn .count")).to_have_count(0)
    act(page, 1, "Trả lời lại")
    reply_says(page, "(2) Ngươi")
    assert teller.seen[1] == [("user", "Chào")]
    assert turns(page) == ["Chào", SECOND]
    expect(count(page)).to_have_text("2/2")
    act(page, 1, "Bản trước")
    assert turns(page) == ["Chào", FIRST]
    expect(count(page)).to_have_text("1/2")
    assert page.inner_text("#announce") == f"Bản 1 trên 2: {FIRST}"
    act(page, 1, "Bản sau")
    assert turns(page) == ["Chào", SECOND]


def test_the_conversation_continues_from_the_alternative_that_is_shown(visit, teller):
    page = visit()
    send(page, "Chào")
    act(page, 1, "Trả lời lại")
    reply_says(page, "(2) Ngươi")
    act(page, 1, "Bản trước")
    send(page, "tiếp")
    assert teller.seen[2] == [("user", "Chào"), ("assistant", FIRST), ("user", "tiếp")]
    # The other alternative has nothing below it, and coming back brings back what was said below this one.
    act(page, 1, "Bản sau")
    assert turns(page) == ["Chào", SECOND]
    act(page, 1, "Bản trước")
    assert turns(page) == ["Chào", FIRST, "tiếp", "Hừ! (3) Ngươi nói: tiếp"]


def test_an_older_reply_can_be_answered_again_and_what_followed_it_stays(visit):
    page = visit()
    send(page, "Chào")
    send(page, "tiếp")
    act(page, 1, "Trả lời lại")
    reply_says(page, "(3) Ngươi nói: Chào")
    assert len(turns(page)) == 2
    act(page, 1, "Bản trước")
    assert len(turns(page)) == 4


def test_the_arrows_of_the_keyboard_go_through_the_alternatives(visit):
    page = visit()
    send(page, "Chào")
    act(page, 1, "Trả lời lại")
    reply_says(page, "(2) Ngươi")
    assert page.evaluate("document.activeElement.id") == "input"
    page.keyboard.press("ArrowLeft")
    assert turns(page)[1] == FIRST
    page.keyboard.press("ArrowLeft")
    assert turns(page)[1] == FIRST
    page.keyboard.press("ArrowRight")
    assert turns(page)[1] == SECOND
    # In a message that is being written the arrows move the caret.
    page.keyboard.type("ab")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("c")
    assert page.input_value("#input") == "acb" and turns(page)[1] == SECOND


def test_the_focus_stays_on_the_button_that_switches(visit):
    page = visit()
    send(page, "Chào")
    act(page, 1, "Trả lời lại")
    reply_says(page, "(2) Ngươi")
    page.locator(".turn").last.get_by_label("Bản trước").focus()
    page.keyboard.press("Enter")
    assert turns(page)[1] == FIRST
    here = "document.activeElement.getAttribute('aria-label') + document.activeElement.getAttribute('aria-disabled')"
    assert page.evaluate(here) == "Bản trướctrue"
    page.keyboard.press("ArrowRight")
    assert turns(page)[1] == SECOND


def test_a_finger_swipes_between_alternatives_and_asks_for_another_past_the_last(visit, teller):
    page = visit(**PHONE)
    send(page, "Chào")
    swipe(page, 1, -120)
    reply_says(page, "(2) Ngươi")
    expect(count(page)).to_have_text("2/2")
    swipe(page, 1, 120)
    expect(count(page)).to_have_text("1/2")
    assert turns(page)[1] == FIRST
    swipe(page, 1, -120)
    expect(count(page)).to_have_text("2/2")
    swipe(page, 1, 20)
    assert count(page).inner_text() == "2/2" and len(teller.seen) == 2


def test_editing_branches_and_the_old_branch_stays_reachable(visit, teller):
    page = visit()
    send(page, "một")
    send(page, "hai")
    act(page, 0, "Sửa")
    assert page.input_value("#input") == "một"
    send(page, "ba", wait=False)
    reply_says(page, "nói: ba")
    assert turns(page) == ["ba", "Hừ! (3) Ngươi nói: ba"]
    assert teller.seen[2] == [("user", "ba")]
    act(page, 0, "Bản trước")
    assert turns(page) == ["một", "Hừ! (1) Ngươi nói: một", "hai", "Hừ! (2) Ngươi nói: hai"]
    page.reload()
    page.wait_for_selector(".turn")
    assert turns(page)[0] == "một"
    act(page, 0, "Bản sau")
    assert turns(page) == ["ba", "Hừ! (3) Ngươi nói: ba"]


def test_the_arrow_up_edits_the_last_message(visit, teller):
    page = visit()
    send(page, "một")
    page.keyboard.press("ArrowUp")
    assert page.input_value("#input") == "một" and page.locator("#editing").is_visible()
    page.keyboard.type("!")
    page.keyboard.press("Enter")
    reply_says(page, "nói: một!")
    assert teller.seen[1] == [("user", "một!")]


def test_escape_leaves_the_edit_and_the_draft_comes_back(visit, teller):
    page = visit()
    send(page, "một")
    page.fill("#input", "nháp")
    act(page, 0, "Sửa")
    assert page.locator(".turn.edited").count() == 1
    page.keyboard.press("Escape")
    assert page.input_value("#input") == "nháp" and not page.locator("#editing").is_visible()
    assert page.locator(".turn.edited").count() == 0
    assert len(turns(page)) == 2 and len(teller.seen) == 1


def test_a_failed_answer_does_not_cost_the_former_reply(visit):
    page = visit(allow=["ERR_FAILED"])
    send(page, "một")
    before = turns(page)
    page.route("**/api/chat", lambda route: route.abort())
    act(page, 1, "Trả lời lại")
    page.wait_for_selector("#trouble:visible")
    assert turns(page) == before


def test_a_stopped_answer_is_an_alternative_like_any_other(visit, teller):
    page = visit()
    send(page, "Chào")
    teller.gate.clear()
    act(page, 1, "Trả lời lại")
    page.wait_for_selector(".turn.reply.growing")
    # During an answer no other version can be chosen.
    page.keyboard.press("ArrowLeft")
    assert turns(page)[1] == "Hừ! (2)"
    page.keyboard.press("Escape")
    page.wait_for_selector("#send:visible")
    teller.gate.set()
    expect(count(page)).to_have_text("2/2")
    act(page, 1, "Bản trước")
    assert turns(page)[1] == FIRST
    act(page, 1, "Trả lời lại")
    answered(page)
    expect(count(page)).to_have_text("3/3")


def test_a_long_conversation_is_not_looked_through_for_each_of_its_turns(visit):
    page = visit()
    page.add_init_script(
        """window.looks = 0;
           for (const name of ["filter", "find"]) {
             const original = Array.prototype[name];
             Array.prototype[name] = function (...how) {
               if (this.length >= 300) window.looks++;
               return original.apply(this, how);
             };
           }"""
    )
    page.reload()
    page.wait_for_selector("#prompts button")
    said = [{"role": ("user", "assistant")[n % 2], "content": f"lời {n}"} for n in range(300)]
    file = {"name": "dài.json", "mimeType": "text/plain", "buffer": json.dumps({"messages": said}).encode()}
    page.set_input_files("#import-file", file)
    expect(page.locator("#earlier")).to_have_text("Xem tin nhắn cũ hơn (200)")
    page.evaluate("window.looks = 0")
    send(page, "nữa")
    assert page.evaluate("window.looks") < 100
