"""The facts that the lorebook told, under the reply in a real browser."""

import pytest
from playwright.sync_api import expect

from serve import create_app
from tests.serve.http.test_lorebook import BOOK, write
from tests.serve.web.test_page_access import problems
from tests.tools.chromium import needs_chromium, reply_says, send

pytestmark = needs_chromium
EVIL = '<img src=x onerror="document.title=1"> **not bold**'


@pytest.fixture
def url(teller, live, tmp_path):
    book = {
        "spec": "lorebook_v3",
        "data": {**BOOK["data"], "entries": [{"keys": ["boar"], "name": "<b>B</b>", "content": EVIL}]},
    }
    file = write(tmp_path / "her", book)
    with live(create_app({"ENGINE": teller, "PERSONA": file})) as address:
        yield address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_reply_shows_the_facts_used_closed_and_as_plain_text(visit, scheme):
    # axe needs a script that the page's policy forbids.
    page = visit(color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    send(page, "một con lợn")
    assert page.locator(".facts").count() == 0
    send(page, "a boar")
    reply_says(page, "a boar")
    box = page.locator(".turn").last.locator("details.facts")
    expect(box.locator("summary")).to_have_text("Điều đã dùng: 1")
    assert not box.evaluate("e => e.open")
    box.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(box.locator("li")).to_have_text(f"<b>B</b> {EVIL}")
    assert page.locator(".facts img, .facts b").count() == 0
    assert problems(page) == []
    page.reload()
    expect(page.locator(".turn").last.locator(".facts summary")).to_have_text("Điều đã dùng: 1")
