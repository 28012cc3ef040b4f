"""The review view for everyone: axe in each mode and both colours, a phone, and a desk below a path of its server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import WebSocketRoute

from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from curation.folders import Folders
from curation.persona import load_persona
from curation.record import Flag
from curation.review.queue import write_queue
from tests.annotations.conftest import make_item
from tests.annotations.ui.desk_browser import Annotator, changes_from, painted, until
from tests.annotations.ui.desk_server import ROOT, Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def below_a_path(tmp_path_factory):
    """A desk at /team/desk, whose first two samples are near-duplicates."""
    root = tmp_path_factory.mktemp("desk")
    (root / "persona.toml").write_text((ROOT / "persona.toml").read_text(encoding="utf-8"), encoding="utf-8")
    near = Flag("near_duplicate", "95 with another line")
    pair = [make_item(n, prompt="Sợ gì?", reply=f"Ta không sợ gì {n}!", cluster="c", flags=(near,)) for n in (1, 2)]
    folders = Folders(root)
    write_queue([*pair, *(make_item(n) for n in range(3, 30))], folders.queue)
    store = ReviewStore(f"sqlite:///{folders.datasets / 'review.db'}")
    refresh(store, folders, load_persona(root / "persona.toml").review)
    server = Server(root, "team/desk")
    server.start()
    yield server, store
    server.stop()
    store.close()


# What a mode fetches before it is complete. No model is served here, so the suggestion is a problem to read.
LOADED = {
    "twins": [".stage-twins .card"],
    "guidelines": [".stage-guide h2"],
    "suggestion": [".stage-suggestion .notice.bad"],
}


def serious(page) -> list[tuple[str, str]]:
    """Return what axe finds in the stage, as (rule, where)."""
    # Streamlit fades what it is drawing again, and that has less contrast.
    page.wait_for_function("!document.querySelector('[data-stale=true], .stSkeleton')")
    page.evaluate("() => Promise.all(document.getAnimations().map((a) => a.finished.catch(() => null)))")
    found = Axe().run(page, context=".stage", options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    return [(v["id"], node["html"][:120]) for v in found.response["violations"] for node in v["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_mode(chromium, below_a_path, scheme):
    an = Annotator(chromium, *below_a_path, f"An {scheme}", color_scheme=scheme)
    page = an.page
    found = {"near-duplicates": serious(page)}
    for mode, keys in {
        "reject": ["x"],
        "other": ["7"],
        "note": ["Escape", "m"],
        "cluster": ["Escape", "k"],
        "help": ["Escape", "h"],
        "twins": ["h", "t"],
        "guidelines": ["Escape", "g"],
        "suggestion": ["Escape", "r"],
        "edit": ["e"],
    }.items():
        an.press(*keys)
        for place in LOADED.get(mode, ()):
            page.locator(place).first.wait_for()
        page.wait_for_timeout(100)
        found[mode] = serious(page)
    page.keyboard.press("Control+A")
    page.keyboard.type("Dạ, ta đi ngay!")
    page.locator(".changed ins").first.wait_for()
    found["written"] = serious(page)
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    an.press("Control+Enter")
    page.get_by_role("alert").get_by_text("A turn is empty").wait_for()
    found["alert"] = serious(page)
    an.press("Escape")
    assert page.locator(".stage").get_attribute("data-theme") == scheme
    an.close()
    assert {mode: problems for mode, problems in found.items() if problems} == {}


def test_on_a_phone_the_keys_take_two_rows_and_nothing_is_wider_than_the_screen(chromium, below_a_path):
    an = Annotator(chromium, *below_a_path, "An phone", width=390, height=844)
    rows = "() => new Set([...document.querySelectorAll('.stage-keys button')].map((b) => b.offsetTop)).size"
    for keys in (["h"], ["h", "e"], ["Escape", "m"]):
        assert an.page.evaluate(rows) <= 2
        assert an.page.evaluate("document.documentElement.scrollWidth") <= 390
        an.press(*keys)
    assert an.page.locator(".stage-keys kbd").filter(visible=True).count() == 0
    an.close()


def test_below_a_path_of_its_server_the_desk_records_verdicts_and_stays_signed_in(chromium, below_a_path):
    server, store = below_a_path
    an = Annotator(chromium, server, store, "An path")
    one = painted(an.page)
    an.press("a")
    changes_from(an.page, one)
    an.sent()
    assert an.verdicts() == [("approve", one, "")]
    an.page.reload()
    assert painted(an.page) != one
    an.close()


def test_a_late_answer_of_the_page_names_no_sample_decided_since(chromium, below_a_path):
    an = Annotator(chromium, *below_a_path, "An late")
    one = painted(an.page)
    held: list[Callable[[], None]] = []

    def hold(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda message: held.append(lambda: socket.send(message)) if slow else socket.send(message))

    slow = False
    an.context.route_web_socket("**/_stcore/stream", hold)
    an.page.reload()
    assert painted(an.page) == one
    an.press("s")
    two = changes_from(an.page, one)
    an.page.evaluate("""() => {
        window.written = [];
        const push = history.pushState.bind(history);
        history.pushState = (...how) => { window.written.push(String(how[2])); push(...how); };
    }""")
    slow = True
    an.page.locator("[data-testid=stSidebar] label").first.click()  # beside the stage: Streamlit is told of the second
    until(an, lambda: held)
    an.page.locator(".stage-item").click()
    an.press("a")
    three = changes_from(an.page, two)
    slow = False
    for send in held:
        send()
    an.page.wait_for_function("(two) => window.written.some((address) => address.includes(two))", arg=two)
    an.page.wait_for_function(f"() => new URLSearchParams(location.search).get('sample') === '{three}'")
    an.sent()
    an.page.reload()
    assert painted(an.page) == three
    an.close()
