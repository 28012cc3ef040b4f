"""What the page's tests share: a browser, the real server with a scripted engine, and common actions on the page.

``conftest.py`` makes the fixtures known.
"""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from serve import create_app
from serve.engine import OPTIONAL, Delta, Done

CHROMIUM = Path("/usr/bin/chromium")
PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
TIMEOUT = 20_000  # ms, for a busy machine

needs_chromium = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium"),
]

expect.set_options(timeout=TIMEOUT)


@dataclass
class Storyteller:
    """Numbers its answers; after the first word it waits for ``gate``, so that a test can inspect a growing reply."""

    name: str = "storyteller"
    model: str = "storyteller-1"
    context: int = 2048
    slots: int = 2
    honours: frozenset = frozenset(OPTIONAL)
    gate: threading.Event = field(default_factory=threading.Event)
    seen: list = field(default_factory=list)
    crash: bool = False
    stopped: threading.Event = field(default_factory=threading.Event)
    settings: list = field(default_factory=list)

    def __post_init__(self):
        self.gate.set()

    def tokens(self, text):
        return list(text.encode())

    def stream(self, messages, settings, cancelled):
        self.seen.append([(m.role, m.content) for m in messages])
        self.settings.append(settings)
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
def url(teller, persona, live):
    """The page of the first persona, without its greetings: they would be the first turn of every test."""
    with live(create_app({"ENGINE": teller, "PERSONA": persona.model_copy(update={"greetings": {}})})) as address:
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
    """Open the page; at the end the console must be empty of errors, CSP violations included."""
    contexts, said = [], []

    def make(allow=(), routes=None, address=url, **options):
        context = browser.new_context(locale="vi-VN", **options)
        context.set_default_timeout(TIMEOUT)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: said.append(m.text) if not any(a in m.text for a in allow) else None)
        page.on("pageerror", lambda e: said.append(str(e)))
        for pattern, handler in (routes or {}).items():
            page.route(pattern, handler)
        page.goto(address)
        page.wait_for_selector("#prompts button, .turn")
        return page

    yield make
    for context in contexts:
        context.close()
    assert said == []


def feedback(taken, **more):
    """Routes for `visit` that set whether the server reports that it keeps feedback, and what else it tells."""

    def info(route):
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), "feedback": taken, **more})

    return {"**/api/info": info}


def send(page, text, wait=True):
    page.fill("#input", text)
    page.keyboard.press("Enter")
    if wait:
        answered(page)


def answered(page):
    page.wait_for_selector(".turn.reply:last-child:not(.waiting):not(.growing)")
    page.wait_for_selector("#send:visible")


def turns(page):
    """The texts of all turns, as the page shows them."""
    return page.eval_on_selector_all(".turn .text", "all => all.map(e => e.textContent)")


def reply_says(page, text):
    # not wait_for_function, which evaluates a string: the page's own policy forbids it
    expect(page.locator(".turn .text").last).to_contain_text(text)


def last_note(page):
    return page.locator(".turn .note").last.inner_text()


def act(page, index, label):
    """Press a turn's button, which is visible under the pointer."""
    turn = page.locator(".turn").nth(index)
    turn.hover()
    turn.get_by_label(label, exact=True).click()


def menu(page, name, entry):
    """Choose from the menu of a conversation in the list."""
    row = page.locator("#conversations li", has_text=name)
    row.hover()
    row.locator(".icon").click()
    page.get_by_role("menuitem", name=entry).click()


def open_conversation(page, name):
    page.locator("#conversations .open", has_text=name).click()


KEPT = """async () => {
  const found = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  const database = await found(indexedDB.open("inosuke"));
  await (await import("/static/store.js")).written();
  const stores = database.transaction(["conversations", "turns"]);
  const [conversations, turns] = await Promise.all(
    ["conversations", "turns"].map((name) => found(stores.objectStore(name).getAll())));
  database.close();
  return { conversations, turns };
}"""


def stored(page):
    """What the browser's database has, conversation by conversation, with the turns in their order."""
    kept = page.evaluate(KEPT)
    found = {one["id"]: {**one, "nodes": []} for one in kept["conversations"]}
    for turn in sorted(kept["turns"], key=lambda turn: turn["order"]):
        found[turn.pop("conversation")]["nodes"].append(turn)
    return found


def names(page):
    return page.locator("#conversations .name").all_inner_texts()
