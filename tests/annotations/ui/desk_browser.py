"""The desk in Chromium: a signed-in page, its keys, and what its outbox and drafts hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from annotations.signing import sign
from annotations.store.review_store import ReviewStore
from annotations.ui.remember import cookie_name
from tests.annotations.ui.desk_server import CHROMIUM, Server

# A busy machine may take this long to draw one page.
TIMEOUT_MS = 60_000


def launch(playwright: Any) -> Any:
    """Start Chromium, or skip the test."""
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    return playwright.chromium.launch(
        executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    )


class Annotator:
    """One annotator in a browser of their own (cookies, storage), at a desk with a running server."""

    def __init__(self, browser: Any, server: Server, store: ReviewStore, who: str, **options: Any) -> None:
        self.server, self.store, self.who = server, store, who
        store.people.add(who)
        viewport = {"width": options.pop("width", 1280), "height": options.pop("height", 860)}
        self.context = browser.new_context(viewport=viewport, **options)
        self.context.set_default_timeout(TIMEOUT_MS)
        cookie = {"name": cookie_name(store), "value": sign(store, who), "url": f"{server.url}/"}
        self.context.add_cookies([cookie])
        self.page = self.open()

    def open(self, **address: str) -> Any:
        """Open the desk in a new tab and wait for a sample."""
        page = self.context.new_page()
        page.goto(f"{self.server.url}/?{urlencode({'lang': 'en', **address})}")
        painted(page)
        return page

    def press(self, *keys: str, gap: float = 0) -> None:
        """Press keys, ``gap`` milliseconds apart."""
        for number, key in enumerate(keys):
            if number and gap:
                self.page.wait_for_timeout(gap)
            self.page.keyboard.press(key)

    def verdicts(self) -> list[tuple[str, str, str]]:
        """Return this annotator's events, oldest first: verdict, sample, reason."""
        return [(e.verdict, e.sample_id, e.reason) for e in self.store.log.events() if e.annotator == self.who]

    def sent(self) -> None:
        """Wait until nothing waits to be sent."""
        self.page.wait_for_function("!Object.keys(localStorage).some((key) => key.includes(':out:'))")

    def kept(self, sample: str) -> list[str]:
        """Return the last turns of the drafts of a sample that the browser keeps."""
        names = "Object.keys(localStorage).filter((key) => key.includes(`:draft:${sample}:`))"
        copies = self.page.evaluate(f"(sample) => {names}.map((key) => localStorage.getItem(key))", sample)
        return [json.loads(copy)["messages"][-1]["content"] for copy in copies]

    def close(self) -> None:
        self.context.close()


@contextmanager
def annotators(browser: Any, server: Server, store: ReviewStore) -> Iterator[Callable[..., Annotator]]:
    """Give what makes annotators of one desk, each a new person: ``make(sample=…)`` opens the desk at an address."""
    made: list[Annotator] = []

    def make(width: int = 1280, height: int = 860, **address: str) -> Annotator:
        who = Annotator(browser, server, store, f"An {len(store.people.roles())}", width=width, height=height)
        who.page.close()
        who.page = who.open(**address)
        made.append(who)
        return who

    yield make
    for one in made:
        one.close()


def shown(page: Any) -> str | None:
    """Return the id of the sample on the screen."""
    return page.evaluate("document.querySelector('.stage-item')?.dataset.sample ?? null")


def painted(page: Any) -> str:
    """Wait until a sample is on the screen and has been painted; return its id."""
    page.wait_for_selector(".stage-item[data-sample]")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)))")
    found = shown(page)
    assert found is not None
    return found


def changes_from(page: Any, sample: str) -> str | None:
    """Wait until another sample than this one is on the screen, or none; return it."""
    page.wait_for_function("(id) => document.querySelector('.stage-item').dataset.sample !== id", arg=sample)
    return shown(page)


def until(an: Annotator, condition: Callable[[], Any]) -> None:
    """Wait for a condition that the page does not announce."""
    for _ in range(TIMEOUT_MS // 50):
        if condition():
            return
        an.page.wait_for_timeout(50)
    raise AssertionError(f"it did not become so within {TIMEOUT_MS // 1000} s")
