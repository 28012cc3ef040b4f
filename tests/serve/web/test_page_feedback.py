"""Ratings and better answers: shown where the server keeps feedback, sent only after the visitor has agreed."""

import json

import pytest
from playwright.sync_api import expect

from serve import create_app
from tests.tools.chromium import act, feedback, needs_chromium, send, stored

pytestmark = needs_chromium


@pytest.fixture
def taken():
    """What arrived at api/feedback."""
    return []


def take(taken):
    """Answer like a server that keeps feedback, and record what arrived."""

    def note(route):
        taken.append(json.loads(route.request.post_data))
        route.fulfill(status=204)

    return note


@pytest.fixture
def page(visit, taken):
    page = visit(routes=feedback(True) | {"**/api/feedback": take(taken)})
    expect(page.locator("#status")).not_to_be_empty()
    return page


def agree(page):
    expect(page.locator("#dialog-title")).to_have_text("Gửi góp ý cho người làm nhân vật?")
    page.click("#dialog-yes")


def test_without_a_server_that_takes_it_there_is_nothing_to_press(visit):
    page = visit(routes=feedback(False))
    expect(page.locator("#status")).not_to_be_empty()
    send(page, "Chào")
    assert page.get_by_label("Hay", exact=True).count() == 0


def test_nothing_is_sent_before_the_visitor_agrees(page, taken):
    send(page, "Chào")
    act(page, 1, "Hay")
    page.click("#dialog-no")
    expect(page.locator("#dialog")).to_be_hidden()
    assert taken == [] and not page.locator("#revoke").is_visible()
    act(page, 1, "Hay")
    agree(page)
    expect(page.locator("#toast")).to_have_text("Đã gửi góp ý.")
    assert len(taken) == 1


def test_a_thumb_sends_the_reply_and_the_message_before_it_and_nothing_else(page, taken):
    send(page, "một")
    send(page, "hai")
    act(page, 3, "Dở")
    agree(page)
    thumb = page.locator(".turn").last.get_by_label("Dở", exact=True)
    expect(thumb).to_have_attribute("aria-pressed", "true")
    (sent,) = taken
    (kept,) = stored(page).values()
    assert sent.pop("conversation") == kept["id"]
    turn = kept["nodes"][3]["id"]
    assert sent == {
        "turn": turn,
        "rating": "down",
        "better": None,
        "messages": [{"role": "user", "content": "hai"}, {"role": "assistant", "content": "Hừ! (2) Ngươi nói: hai"}],
        "consent": True,
    }
    # Once more takes it back; agreeing is not asked for again, not even after a reload.
    page.reload()
    expect(thumb).to_have_attribute("aria-pressed", "true")
    act(page, 3, "Dở")
    expect(thumb).to_have_attribute("aria-pressed", "false")
    assert [entry["rating"] for entry in taken[1:]] == [None]


def test_two_tabs_mean_the_same_turn(page, taken, url, teller):
    send(page, "một")
    second = page.context.new_page()
    for pattern, handler in (feedback(True) | {"**/api/feedback": take(taken)}).items():
        second.route(pattern, handler)
    second.goto(url)
    expect(second.locator("#status")).not_to_be_empty()
    teller.gate.clear()
    send(page, "hai", wait=False)
    page.wait_for_selector(".turn.reply.growing")
    expect(second.locator(".turn")).to_have_count(3)
    act(second, 1, "Trả lời lại")  # comes before the reply to "hai" here, and after it there
    second.wait_for_selector(".turn.reply.growing")
    teller.gate.set()
    for tab in (page, second):
        expect(tab.locator(".turn .count")).to_have_count(1)
        expect(tab.locator("#send")).to_be_visible()
    act(page, 3, "Hay")
    agree(page)
    expect(page.locator("#toast")).to_have_text("Đã gửi góp ý.")
    act(second, 1, "Bản trước")
    act(second, 3, "Hay")
    expect(second.locator("#toast")).to_have_text("Đã gửi góp ý.")
    assert [one["messages"][0]["content"] for one in taken] == ["hai", "hai"]
    assert taken[0]["turn"] == taken[1]["turn"] and [one["rating"] for one in taken] == ["up", None]


def test_a_better_answer_is_sent_and_kept(page, taken):
    send(page, "Chào")
    act(page, 1, "Gợi ý câu trả lời hay hơn…")
    agree(page)
    expect(page.locator("#dialog-title")).to_have_text("Inosuke sẽ nói thế nào?")
    assert page.input_value("#dialog-area") == "Hừ! (1) Ngươi nói: Chào"
    page.fill("#dialog-area", "Chào cái gì mà chào!")
    page.click("#dialog-yes")
    expect(page.locator("#toast")).to_contain_text("Đã gửi góp ý. Đã sửa câu trả lời.")
    assert [(entry["rating"], entry["better"]) for entry in taken] == [(None, "Chào cái gì mà chào!")]
    act(page, 1, "Gợi ý câu trả lời hay hơn…")
    assert page.input_value("#dialog-area") == "Chào cái gì mà chào!"


def test_agreement_can_be_withdrawn(page, taken):
    send(page, "Chào")
    act(page, 1, "Hay")
    agree(page)
    page.click("#revoke")
    expect(page.locator("#revoke")).to_be_hidden()
    act(page, 1, "Dở")
    expect(page.locator("#dialog-title")).to_have_text("Gửi góp ý cho người làm nhân vật?")
    assert len(taken) == 1


def test_feedback_that_does_not_arrive_is_said_and_can_be_sent_again(visit, taken):
    answers = iter([503, 204])

    def take(route):
        taken.append(route.request.post_data)
        status = next(answers)
        error = {"error": {"code": "busy", "message": "đầy rồi"}}
        route.fulfill(status=status, json=error) if status != 204 else route.fulfill(status=status)

    page = visit(allow=["503"], routes=feedback(True) | {"**/api/feedback": take})
    send(page, "Chào")
    act(page, 1, "Hay")
    agree(page)
    expect(page.locator("#trouble-text")).to_have_text(
        "Chưa gửi được góp ý. Inosuke đang tiếp quá nhiều người. Đợi một lát rồi thử lại."
    )
    thumb = page.locator(".turn").last.get_by_label("Hay", exact=True)
    assert thumb.get_attribute("aria-pressed") == "false"
    page.click("#retry")
    expect(thumb).to_have_attribute("aria-pressed", "true")
    assert not page.locator("#trouble").is_visible() and len(taken) == 2


def test_the_server_keeps_what_the_page_sends(visit, live, teller, persona, tmp_path):
    with live(create_app({"ENGINE": teller, "PERSONA": persona, "ROOT": tmp_path})) as address:
        page = visit(address=address)
        send(page, "Chào")
        act(page, 2, "Gợi ý câu trả lời hay hơn…")  # the greeting is turn 0
        agree(page)
        page.fill("#dialog-area", "Chào cái gì mà chào!")
        page.click("#dialog-yes")
        expect(page.locator("#toast")).to_contain_text("Đã gửi góp ý. Đã sửa câu trả lời.")
    (file,) = tmp_path.rglob("*.jsonl")
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert len(kept["turn"]) == 16 and kept["turn"] not in str(stored(page))
    assert (kept["rating"], kept["better"]) == (None, "Chào cái gì mà chào!")
    assert [m["content"] for m in kept["messages"]] == ["Chào", "Hừ! (1) Ngươi nói: Chào"]
