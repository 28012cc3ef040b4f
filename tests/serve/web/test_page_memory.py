"""Long conversations: counting, the memory, pinned facts, speed. The server's part is played by routes."""

import json

import pytest
from playwright.sync_api import expect

from tests.tools.chromium import answered, feedback, needs_chromium, send, stored, turns

pytestmark = needs_chromium

WINDOW = 6  # messages


@pytest.fixture
def asked():
    """The bodies of the page's requests, by path."""
    return {"chat": [], "count": [], "memory": []}


@pytest.fixture
def page(visit, asked):
    """The page before a server that remembers, with a window of six messages."""

    def info(route):
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), "remembers": True, "window": 300})

    def count(route):
        body = json.loads(route.request.post_data)
        asked["count"].append(body)
        number = len(body["messages"])
        counted = {"tokens": 20 * number + len(body["draft"]), "window": 300, "kept_from": max(0, number - WINDOW)}
        route.fulfill(json=counted)

    def memory(route):
        body = json.loads(route.request.post_data)
        asked["memory"].append(body)
        route.fulfill(json={"memory": f"{body['memory']}[{len(body['messages'])}]"})

    def chat(route):
        body = json.loads(route.request.post_data)
        asked["chat"].append(body)
        known = {key: value for key, value in body.items() if key not in ("memory", "pinned")}
        route.fallback(post_data=json.dumps(known))

    page = visit(routes={"**/api/info": info, "**/api/count": count, "**/api/memory": memory, "**/api/chat": chat})
    expect(page.locator("#memory-open")).to_be_visible()
    return page


def test_what_is_typed_is_counted(page, asked):
    page.locator("#input").press_sequentially("abc")
    expect(page.locator("#count")).to_have_text("3 trên 300 token")
    send(page, "một")
    expect(page.locator("#count")).to_have_text("40 trên 300 token")
    assert asked["count"][-1]["messages"][0] == {"role": "user", "content": "một"}


def test_what_falls_out_is_summed_up_shown_and_sent(page, asked):
    for text in ("một", "hai", "ba", "bốn", "năm"):
        send(page, text)
    expect(page.locator(".begins")).to_have_text("Từ đây Inosuke nhớ từng lời")
    assert page.locator(".first-read .text").inner_text() == "ba"
    expect(page.locator("#memory-text")).to_have_value("")  # the dialog is filled when it opens
    page.click("#memory-open")
    expect(page.locator("#memory-text")).to_have_value("[4]")
    page.fill("#memory-text", "Người này tên Lan.")
    page.fill("#memory-pinned", "Thích tempura\n\nKhông ăn cay")
    page.click("#memory .yes")
    send(page, "sáu")
    assert asked["chat"][-1]["memory"] == "Người này tên Lan."
    assert asked["chat"][-1]["pinned"] == ["Thích tempura", "Không ăn cay"]
    send(page, "bảy")
    expect(page.locator(".first-read .text")).to_have_text("năm")
    page.click("#memory-open")
    expect(page.locator("#memory-text")).to_have_value("Người này tên Lan.[4]")  # also if it comes only now
    assert [len(one["messages"]) for one in asked["memory"]] == [4, 4]  # each turn is summed up once
    (kept,) = stored(page).values()
    assert kept["memory"] == "Người này tên Lan.[4]"


@pytest.mark.parametrize(("typed", "kept"), [(None, "[4]"), ("Người này tên Lan.", "Người này tên Lan.")])
def test_a_summary_that_comes_while_the_dialog_is_open_is_not_lost(page, asked, typed, kept):
    held = []

    def hold(route):
        held.append(route)

    page.route("**/api/memory", hold)
    for text in ("một", "hai", "ba", "bốn"):
        send(page, text)
    with page.expect_request("**/api/memory"):
        send(page, "năm")
    page.click("#memory-open")
    if typed:
        page.fill("#memory-text", typed)
    held[0].fallback()
    expect(page.locator("#memory-text")).to_have_value(kept)
    # Not wait_for_function, which takes the promise itself for a yes.
    page.evaluate("""async () => {
        const { shown } = await import('./static/session.js');
        while (shown().memory !== '[4]') await new Promise(requestAnimationFrame);
    }""")
    page.click("#memory .yes")
    page.unroute("**/api/memory", hold)
    send(page, "sáu")
    assert asked["chat"][-1]["memory"] == kept
    send(page, "bảy")
    expect(page.locator(".first-read .text")).to_have_text("năm")
    page.click("#memory-open")
    # Nobody has told the visitor's text what came meanwhile: those turns are summed up again, with the new ones.
    expect(page.locator("#memory-text")).to_have_value(f"{kept}[6]" if typed else "[4][4]")


SAVE_AND_SEND = """(dialog) => {
    document.querySelector(`${dialog} .yes`).click();
    const input = document.querySelector('#input');
    input.value = 'một';
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
}"""


@pytest.mark.parametrize(
    ("button", "dialog", "field", "fact"),
    [
        ("#memory-open", "#memory", "#memory-pinned", "Lan"),
        ("#gear", "#preferences", "#visitor-about", "Lan"),
    ],
)
def test_a_message_sent_as_soon_as_a_dialog_is_saved_knows_what_was_saved(page, asked, button, dialog, field, fact):
    page.click(button)
    page.fill(field, fact)
    page.evaluate(SAVE_AND_SEND, dialog)
    answered(page)
    assert asked["chat"][0]["pinned"] == [fact]


def test_the_memory_can_be_switched_off_and_a_message_pinned(page, asked):
    send(page, "Ta tên là Lan")
    turn = page.locator(".turn").first
    turn.hover()
    turn.get_by_label("Thêm", exact=True).click()
    page.get_by_role("menuitem", name="Ghi nhớ").click()
    page.click("#memory-open")
    expect(page.locator("#memory-pinned")).to_have_value("Ta tên là Lan")
    page.fill("#memory-text", "cũ")
    page.uncheck("#memory-on")
    page.click("#memory .yes")
    send(page, "hai")
    assert "memory" not in asked["chat"][-1] and asked["chat"][-1]["pinned"] == ["Ta tên là Lan"]
    stored(page)
    page.reload()
    page.wait_for_selector(".turn")
    expect(page.locator("#memory-open")).to_be_visible()
    page.click("#memory-open")
    assert page.input_value("#memory-text") == "cũ" and not page.is_checked("#memory-on")


def test_the_character_is_told_who_the_visitor_is(page, asked):
    page.click("#gear")
    page.fill("#visitor-name", "Lan")
    page.fill("#visitor-about", "thợ săn\ntừ Huế")
    page.click("#preferences .yes")
    send(page, "một")
    assert asked["chat"][0]["pinned"] == ["Người đang nói chuyện tên là Lan.", "thợ săn từ Huế"]


def test_a_server_that_remembers_nothing_is_asked_for_nothing(visit):
    page = visit(routes=feedback(False, remembers=False, window=None))
    paths = []
    page.on("request", lambda request: paths.append(request.url.rsplit("/", 1)[-1]))
    expect(page.locator("#status")).not_to_be_empty()
    page.locator("#input").press_sequentially("abc")
    send(page, "một")
    page.click("#gear")
    assert page.locator("#visitor").is_hidden() and page.locator("#memory-open").is_hidden()
    assert not {"count", "memory"} & set(paths)


def spent(session):
    """Seconds of the main thread so far."""
    values = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return values["TaskDuration"]


def test_an_exchange_in_five_thousand_turns_costs_little_more_than_in_forty(visit):
    words = "".join(f"event: delta\ndata: {json.dumps({'text': f'từ {n} '})}\n\n" for n in range(20))
    ending = {"finish_reason": "stop", "dropped_messages": 0}
    stream = words + f"event: done\ndata: {json.dumps(ending)}\n\n"
    page = visit(routes={"**/api/chat": lambda r: r.fulfill(content_type="text/event-stream", body=stream)})
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    said = [{"role": ("user", "assistant")[n % 2], "content": f"lời thứ {n}, khá dài " * 4} for n in range(5000)]
    files = [{"id": name, "title": name, "messages": said[:size]} for name, size in (("a40", 40), ("b5000", 5000))]
    file = json.dumps({"conversations": files}).encode()
    page.set_input_files("#import-file", {"name": "a.json", "mimeType": "text/plain", "buffer": file})
    expect(page.locator("#conversations li")).to_have_count(2)
    cost = {"a40": [], "b5000": []}
    for turn in range(8):
        for name in cost:
            page.locator("#conversations .open", has_text=name).click()
            expect(page.locator("#conversations .current .name")).to_have_text(name)
            stored_before = spent(session)
            page.locator("#input").press_sequentially("gõ vài chữ")
            page.keyboard.press("Enter")
            answered(page)
            if turn:  # the first time, code is compiled
                cost[name].append(spent(session) - stored_before)
    short, long = (sorted(cost[name])[len(cost[name]) // 2] for name in cost)
    print(f"main thread for an exchange: {short:.3f} s at 40 turns, {long:.3f} s at 5,000")
    assert len(turns(page)) == 100
    assert long < 3 * short  # measured: twice, for a hundred drawn turns and 400 sent ones in place of 40 of each
