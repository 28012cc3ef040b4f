"""A whole session at the review desk in Chromium, by keyboard, with a restart of the server in the middle.

With ``REVIEW_SCREENSHOTS=docs/images`` it writes the pictures that the documentation shows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotations.signing import sign
from annotations.store.review_store import ReviewStore
from annotations.ui.remember import cookie_name
from curation.folders import Folders
from curation.persona import Review
from curation.record import Flag, Message, Sample, Source, sample_id
from curation.review.queue import QueueItem, write_queue
from tests.annotations.conftest import make_item
from tests.annotations.ui.desk_server import ROOT, Server

pytestmark = pytest.mark.browser

# A busy machine may take this long to draw one page.
TIMEOUT_MS = 60_000


def queue() -> list[QueueItem]:
    """Return one sample of every kind that an annotator meets."""

    def sample(*turns: Message, flags: tuple[Flag, ...] = (), path: str, locator: str, topic: str | None = None):
        source = Source(path=path, sha256="0" * 64, locator=locator, importer="subtitles", rights="own")
        return Sample(
            id=sample_id("conversation", turns),
            kind="conversation",
            messages=turns,
            language="vi",
            topic=topic,
            source=source,
            flags=flags,
        )

    polite = sample(
        Message("user", "Chào ngươi."),
        Message("assistant", "Dạ, ta xin phép leo núi ạ!"),
        flags=(Flag("out_of_character", "Inosuke would not say: dạ, xin phép, ạ"),),
        path="chao-hoi.jsonl",
        locator="row 12",
    )
    scene = sample(
        Message("user", "Tối nay cắm trại ở đâu?", "Tanjiro"),
        Message("assistant", "Trên đỉnh núi! Ta không ngủ dưới thung lũng!"),
        Message("user", "Trên đó lạnh lắm đấy.", "Tanjiro"),
        Message("assistant", "Lạnh thì chạy quanh núi ba vòng! Hahaha!"),
        flags=(Flag("possible_speaker", "Tanjiro"),),
        path="rung-tap01.ass",
        locator="cue 41 · 00:03:12.500",
        topic="Cắm trại",
    )
    near = [
        sample(
            Message("user", "Ngươi sợ cái gì?"),
            Message("assistant", f"Ta không sợ gì hết! Gọi con {word} nhất ra đây!"),
            flags=(Flag("near_duplicate", "95 with another line"),),
            path="doi-thoai.jsonl",
            locator=f"row {row}",
        )
        for row, word in ((30, "mạnh"), (31, "to"))
    ]
    markup = sample(
        Message("user", "<b>đậm</b> **sao** <script>document.title = 'hỏng'</script>"),
        Message("assistant", "<img src=x onerror=alert(1)> Ta [đây](http://x) $x^2$ :red[đỏ]!"),
        path="doi-thoai.jsonl",
        locator="row 40",
    )
    rest = [make_item(i, kind=("quote", "persona", "generic_qa")[i % 3]) for i in range(12)]
    return [QueueItem(polite), QueueItem(scene), *(QueueItem(s, "c1") for s in near), QueueItem(markup), *rest]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[tuple[Server, ReviewStore]]:
    persona = (ROOT / "persona.toml").read_text(encoding="utf-8")
    (tmp_path / "persona.toml").write_text(persona, encoding="utf-8")
    folders = Folders(tmp_path)
    write_queue(queue(), folders.queue)
    store = ReviewStore(f"sqlite:///{folders.datasets / 'review.db'}")
    server = Server(tmp_path)
    server.start()
    yield server, store
    server.stop()
    store.close()


@pytest.fixture
def browser(chromium):
    return chromium


def new_page(browser, width: int = 1280, height: int = 860):
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(TIMEOUT_MS)
    return page


def shot(page, name: str) -> None:
    """Save a screenshot, if REVIEW_SCREENSHOTS asks for it."""
    folder = os.environ.get("REVIEW_SCREENSHOTS")
    if folder:
        page.wait_for_function("!document.querySelector('[data-stale=true], .stSkeleton')")
        page.wait_for_timeout(700)  # charts and tables are drawn after the page reports that it is done
        page.screenshot(path=ROOT / folder / f"review-{name}.png")


def see(page, text: str):
    found = page.get_by_text(text, exact=False).first
    found.wait_for()
    return found


def key(page, letter: str) -> None:
    """Press a key once the sample on the screen has been painted."""
    page.wait_for_selector(".stage-item")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)))")
    page.keyboard.press(letter)


def sign_in_as(page, server: Server, store: ReviewStore, who: str) -> None:
    """Give the browser the cookie of someone who has signed in."""
    store.people.add(who)
    page.context.add_cookies([{"name": cookie_name(store), "value": sign(store, who), "url": server.url}])


def until(page, condition) -> None:
    """Wait for what the page does not announce: the server records a verdict after the next sample is shown."""
    for _ in range(600):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not become so within 30 s")


def test_a_session_by_keyboard_with_a_restart(browser, project):
    server, store = project
    polite, scene, near, other, markup = [item.sample for item in queue()[:5]]
    page = new_page(browser)
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if server.url not in request.url else None)
    page.goto(server.url)

    # Sign in.
    see(page, "Bạn là ai?")
    shot(page, "sign-in")
    page.get_by_label("Tên của bạn").press_sequentially("An")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Bắt đầu").press("Enter")

    # Reject with a reason.
    see(page, "xin phép leo núi")
    shot(page, "sample")
    key(page, "x")
    see(page, "Vì sao loại?")
    shot(page, "reject")
    key(page, "1")

    # Undo brings it back; reject again.
    see(page, "Tối nay cắm trại")
    until(page, lambda: store.queue.item(polite.id).state.reason == "wrong_voice")
    key(page, "u")
    see(page, "xin phép leo núi")
    assert store.queue.item(polite.id).status == "pending"
    key(page, "x")
    see(page, "Vì sao loại?")
    key(page, "2")

    # Rewrite the last turn of a scene; the draft is on the server before anything is pressed.
    see(page, "Tối nay cắm trại")
    key(page, "e")
    page.get_by_label("Lời của lượt 4").wait_for()
    page.keyboard.press("Control+A")
    page.keyboard.type("Lạnh hả? Dạ, chạy quanh núi ba vòng là nóng!")
    see(page, "Có từ mà nhân vật không dùng.")
    page.locator("ins", has_text="Dạ").first.wait_for()
    shot(page, "edit")
    until(page, lambda: "Dạ, chạy" in str(store.drafts.get(scene.id, "An")))

    # The server is restarted in the middle of it: nothing typed is lost.
    server.stop()
    server.start()
    page.reload()
    see(page, "Bản nháp của bạn")
    key(page, "e")
    page.get_by_label("Lời của lượt 4").wait_for()
    page.keyboard.press("Control+A")
    page.keyboard.type("Lạnh hả? Chạy quanh núi ba vòng là nóng!")
    page.keyboard.press("Control+Enter")

    # A near-duplicate pair: keep this one, and the other is rejected with it.
    see(page, "Gần giống (1)")
    until(page, lambda: store.queue.item(scene.id).status == "approved")
    rewritten = store.queue.item(scene.id)
    assert (rewritten.status, rewritten.state.revision) == ("approved", 1)
    assert rewritten.messages[-1].content == "Lạnh hả? Chạy quanh núi ba vòng là nóng!"
    assert rewritten.messages[:-1] == scene.messages[:-1]
    shot(page, "cluster")
    key(page, "t")
    page.locator(".stage-twins .card").first.wait_for()
    shot(page, "twins")
    page.keyboard.press("Escape")
    key(page, "g")
    page.locator(".stage-guide h2").first.wait_for()
    shot(page, "guidelines")
    key(page, "g")
    key(page, "k")
    see(page, "Nhận mẫu này và loại 1 mẫu kia?")
    key(page, "k")

    # Markup in a sample is text: no script ran, no image was asked for.
    see(page, "<b>đậm</b> **sao** <script>")
    see(page, "<img src=x onerror=alert(1)> Ta [đây](http://x) $x^2$ :red[đỏ]!")
    assert "hỏng" not in page.title()
    assert [store.queue.item(s.id).status for s in (near, other)] == ["approved", "rejected"]
    key(page, "a")
    see(page, "lần thứ 0")
    until(page, lambda: store.queue.item(markup.id).status == "approved")

    # Skip, previous, next, help.
    key(page, "s")
    see(page, "lần thứ 1?")
    key(page, "p")
    see(page, "lần thứ 0")
    key(page, "n")
    see(page, "lần thứ 1?")
    key(page, "h")
    see(page, "hoàn tác, lùi bao nhiêu bước cũng được")
    shot(page, "help")
    key(page, "h")

    until(page, lambda: len(store.log.events()) == 8)
    verdicts = [(e.verdict, e.annotator) for e in store.log.events()]
    expected = ["reject", "undo", "reject", "rewrite", "approve", "reject", "approve", "skip"]
    assert verdicts == [(verdict, "An") for verdict in expected]
    assert outside == [], "the desk asked another machine for something"


def test_the_other_views_at_two_widths(browser, project):
    server, store = project
    items = queue()
    store.queue.load(items, Review(overlap=1.0, annotators=2))
    for who in ("An", "Bình"):
        store.people.add(who, "adjudicator")
    for number, item in enumerate(items[4:12]):
        for who in ("An", "Bình"):
            verdict = "reject" if who == "Bình" and number % 3 == 0 else "approve"
            store.decide(item.sample.id, who, verdict, revision=0, reason="no_sense" if verdict == "reject" else "")
    scene = items[1].sample
    store.decide(scene.id, "An", "note", revision=0, reason="hỏi lại Bình về cảnh này")
    store.decide(
        scene.id,
        "Bình",
        "rewrite",
        revision=0,
        messages=(*scene.messages[:3], Message("assistant", "Lạnh thì chạy quanh núi ba vòng là nóng ngay!")),
        adjudicate=True,
    )
    views = {
        "dashboard": "Krippendorff",
        "adjudication": "Theo Bình",
        "history": "hỏi lại Bình",
        "me": "Bản nháp của tôi",
    }
    for name, width, height in (("", 1280, 860), ("-phone", 390, 844)):
        page = new_page(browser, width, height)
        sign_in_as(page, server, store, "An")
        for view, words in views.items():
            page.goto(f"{server.url}/?view={view}&sample={scene.id}")
            # Tables are drawn on a canvas; their words are there for screen readers only.
            page.get_by_text(re.compile(words)).first.wait_for(state="attached")
            assert page.get_by_test_id("stException").count() == 0
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            shot(page, f"{view}{name}")
        page.goto(f"{server.url}/?sample={items[0].sample.id}")
        see(page, "xin phép leo núi")
        shot(page, f"sample{name}")
        if name:
            page.get_by_role("button", name="Sửa", exact=True).click()
            page.get_by_label("Lời của lượt 2").wait_for()
            shot(page, f"edit{name}")
        page.close()


def test_every_control_has_a_name_for_screen_readers(browser, project):
    server, store = project
    page = new_page(browser)
    sign_in_as(page, server, store, "An")
    page.goto(f"{server.url}/?lang=en")
    see(page, "xin phép leo núi")
    key(page, "e")
    page.get_by_label("Text of turn 2").wait_for()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('.stApp button, .stApp textarea, .stApp input')]
            .filter(e => e.offsetParent && !(e.ariaLabel || e.innerText.trim() || e.title || e.labels?.length
                || e.getAttribute('aria-labelledby'))).map(e => e.outerHTML.slice(0, 160))"""
    )
    assert nameless == []
