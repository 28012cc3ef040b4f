"""Accessibility: screen readers (axe-core), the keyboard, a phone, touch, reduced motion."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.tools.chromium import PHONE, act, answered, feedback, needs_chromium, reply_says, send, turns

pytestmark = needs_chromium

LONG = "Ngươi nghe cho kỹ đây: ta là chúa tể của núi rừng, và chưa từng cúi đầu trước bất kỳ ai! " * 3


def problems(page):
    """What axe finds, as (rule, where); the page has to hold still for it."""
    page.evaluate("Promise.all(document.getAnimations().map(a => a.finish?.()).concat(null))")
    found = Axe().run(page).response["violations"]
    return [(v["id"], v["impact"], [n["target"] for n in v["nodes"]][:3]) for v in found]


def count(route):
    """As a server whose model reads the last message alone."""
    number = len(json.loads(route.request.post_data)["messages"])
    route.fulfill(json={"tokens": 400, "window": 300, "kept_from": number - 1})


def nothing(route):
    route.fulfill(json={"memory": ""})


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_in_any_state_of_the_page(visit, scheme, device):
    # Its own policy forbids the page the script that looks at it, so here, and only here, the policy is off.
    page = visit(
        color_scheme=scheme,
        reduced_motion="reduce",
        bypass_csp=True,
        allow=["ERR_FAILED"],
        routes=feedback(True, remembers=True, window=300) | {"**/api/count": count, "**/api/memory": nothing},
        **device,
    )
    assert problems(page) == []
    send(page, "*cười* **Ta** là `ai`?\n\n- một\n\n```\nmã\n```\n[trang](https://example.org)")
    page.click("#new") if not device else page.reload()
    page.click("#gear")
    page.fill("#quick-text", "Kể tiếp đi")
    assert problems(page) == []  # the settings
    page.click("#preferences .yes")
    send(page, LONG)
    expect(page.locator(".begins")).to_be_visible()
    expect(page.locator("#quick")).to_be_visible()
    assert problems(page) == []
    page.locator(".turn").last.get_by_label("Thêm", exact=True).click()
    assert problems(page) == []  # the menu of a turn
    page.get_by_role("menuitem", name="Xoá tin nhắn này").click()
    expect(page.locator("#toast button")).to_be_visible()
    assert problems(page) == []
    page.locator("#toast button").click()
    page.click("#memory-open")
    assert problems(page) == []
    page.click("#memory-no")
    page.locator(".turn").last.get_by_label("Trả lời lại").click()
    reply_says(page, "(3) Ngươi")
    assert problems(page) == []
    page.locator(".turn").last.get_by_label("Gợi ý câu trả lời hay hơn…").click()
    assert problems(page) == []  # the consent
    page.click("#dialog-yes")
    expect(page.locator("#dialog-area")).to_be_visible()
    assert problems(page) == []
    page.click("#dialog-no")
    page.locator(".turn:not(.reply)").last.get_by_label("Sửa").click()
    assert problems(page) == []
    page.keyboard.press("Escape")
    if device:
        page.click("#sidebar-open")
    page.fill("#search", "nguoi noi")
    expect(page.locator("mark").first).to_be_visible()
    assert problems(page) == []
    page.locator("#conversations .icon").first.click()
    expect(page.locator("#menu")).to_be_visible()
    assert problems(page) == []
    page.get_by_role("menuitem", name="Đổi tên").click()
    assert problems(page) == []
    page.keyboard.press("Escape")
    if device:
        page.click("#sidebar-close")
    page.route("**/api/chat", lambda route: route.abort())
    send(page, "hai", wait=False)
    expect(page.locator("#trouble")).to_be_visible()
    assert problems(page) == []


def test_a_phone_has_no_sideways_scroll_and_a_drawer(visit):
    page = visit(**PHONE)
    send(page, "Đây-là-một-từ-rất-dài" * 12)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("document.getElementById('scroller').scrollWidth") == 360
    assert not page.locator("#new").is_visible()
    page.click("#sidebar-open")
    page.locator("#new").click()
    assert turns(page) == []
    page.wait_for_selector("#new", state="hidden")


def test_the_placeholder_is_not_cut_on_a_narrow_screen(visit):
    page = visit(viewport={"width": 320, "height": 568}, has_touch=True, is_mobile=True)
    cut = "box => box.scrollHeight - box.clientHeight"
    assert page.eval_on_selector("#input", cut) == 0
    page.click("#language")  # the English one takes two lines
    expect(page.locator("#input")).to_have_attribute("placeholder", "Say something to Inosuke…")
    assert page.eval_on_selector("#input", cut) == 0
    page.reload()
    page.wait_for_selector("#prompts button")
    assert page.eval_on_selector("#input", cut) == 0


SMALL = """all => all.filter(e => e.checkVisibility({opacityProperty: true, visibilityProperty: true}))
  .map(e => [e.getAttribute('aria-label') || e.textContent || e.id, e.getBoundingClientRect()])
  .filter(([, box]) => box.right > 0 && (box.width < 44 || box.height < 44))
  .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)"""


def test_a_finger_finds_everything_at_least_44_pixels_large(visit):
    page = visit(routes=feedback(True), **PHONE)
    small = lambda: page.eval_on_selector_all("button, input, .field textarea", SMALL)  # noqa: E731
    assert small() == []
    send(page, "một")
    page.locator(".turn").last.get_by_label("Trả lời lại").click()
    reply_says(page, "(2) Ngươi")
    assert small() == []
    act(page, 0, "Sửa")
    assert small() == []
    page.keyboard.press("Escape")
    page.click("#sidebar-open")
    expect(page.locator("#sidebar-close")).to_be_focused()
    assert small() == []
    page.locator("#conversations .icon").click()
    assert small() == []


def test_a_tap_brings_out_the_buttons_of_an_older_turn(visit):
    page = visit(**PHONE)
    send(page, "một")
    send(page, "hai")
    edit = page.locator(".turn").first.get_by_label("Sửa")
    assert edit.bounding_box() is None or page.locator(".turn .actions").first.bounding_box()["height"] == 0
    page.locator(".turn").first.locator(".bubble").tap()
    edit.tap()
    assert page.input_value("#input") == "một"


def test_everything_that_can_be_pressed_has_a_name(visit):
    page = visit(routes=feedback(True))
    send(page, "Chào")
    nameless = page.eval_on_selector_all(
        "button, input, textarea, img",
        """all => all.filter(e => e.offsetParent && !(e.getAttribute('aria-label') || e.textContent.trim()
             || e.labels?.length || e.getAttribute('aria-labelledby') || e.hasAttribute('alt')))
             .map(e => e.outerHTML)""",
    )
    assert nameless == []


def test_the_whole_way_can_be_gone_by_keyboard(visit):
    page = visit(routes=feedback(False))
    focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"
    assert page.evaluate("document.activeElement.id") == "input"
    page.keyboard.type("Chào")
    page.keyboard.press("Enter")
    page.wait_for_selector(".turn.reply:not(.growing):not(.waiting)")
    for _ in page.locator(".turn").last.locator("button").all():
        page.keyboard.press("Shift+Tab")
        if page.evaluate(focused) == "Trả lời lại":
            break
    assert page.evaluate(focused) == "Trả lời lại"
    page.keyboard.press("Enter")
    reply_says(page, "(2) Ngươi")
    assert page.evaluate("document.activeElement.id") == "input"
    # Into the menu of a conversation, through it, and out of it again.
    page.locator("#conversations .icon").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Xoá")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#conversations .icon")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog-line")).to_be_focused()
    page.keyboard.type("Trận đấu")
    page.keyboard.press("Enter")
    expect(page.locator("#conversations .name")).to_have_text("Trận đấu")


def test_nothing_moves_for_those_who_asked_for_little_motion(visit, teller):
    page = visit(reduced_motion="reduce")
    teller.gate.clear()
    send(page, "Chào", wait=False)
    page.wait_for_selector(".turn.reply.growing")
    assert page.evaluate("document.getAnimations().length") == 0
    teller.gate.set()
    answered(page)
