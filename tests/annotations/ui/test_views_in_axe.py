"""Every view of the desk, in both colours and on a phone: axe finds nothing serious, and the language is named."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from annotations.ui.views.app import VIEWS
from curation.folders import Folders
from curation.persona import Review
from curation.review.queue import write_queue
from tests.annotations.ui.desk_browser import Annotator
from tests.annotations.ui.desk_server import ROOT, Server
from tests.annotations.ui.test_desk_in_browser import queue

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    """A desk of two adjudicators who judged the same samples and disagree on some; one sample has a history."""
    root = tmp_path_factory.mktemp("team")
    persona = (ROOT / "persona.toml").read_text(encoding="utf-8").replace("overlap = 0.0", "overlap = 1.0")
    (root / "persona.toml").write_text(persona, encoding="utf-8")
    folders = Folders(root)
    items = queue()
    write_queue(items, folders.queue)
    store = ReviewStore(f"sqlite:///{folders.datasets / 'review.db'}")
    refresh(store, folders, Review(overlap=1.0, annotators=2))
    for who in ("An", "Bình"):
        store.people.add(who, "adjudicator")
    for number, item in enumerate(items[4:12]):
        for who in ("An", "Bình"):
            verdict = "reject" if who == "Bình" and number % 3 == 0 else "approve"
            store.decide(item.sample.id, who, verdict, revision=0, reason="no_sense" if verdict == "reject" else "")
    store.decide(items[1].sample.id, "An", "note", revision=0, reason="ask Bình about this scene")
    server = Server(root)
    server.start()
    yield server, store, items[1].sample.id
    server.stop()
    store.close()


def serious(page) -> list[tuple[str, str]]:
    """Return what axe calls serious or critical on the whole page, as (rule, where)."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    # Streamlit fades what it is drawing again, and that has less contrast.
    page.wait_for_function("!document.querySelector('[data-stale=true], .stSkeleton')")
    page.evaluate("() => Promise.all(document.getAnimations().map((a) => a.finished.catch(() => null)))")
    found = Axe().run(page)
    grave = [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
    return [(v["id"], node["html"][:160]) for v in grave for node in v["nodes"]]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_axe_finds_nothing_serious_in_any_view(chromium, team, scheme, width):
    server, store, sample = team
    an = Annotator(chromium, server, store, "An", color_scheme=scheme, width=width, height=860)
    found: list[str] = []
    for language in ("vi", "en"):
        for view in VIEWS:
            an.page.goto(f"{server.url}/?view={view}&sample={sample}&lang={language}")
            an.page.get_by_test_id("stSidebarContent").wait_for(state="attached")
            an.page.get_by_test_id("stButtonGroup").first.wait_for(state="attached")
            found += [f"{view}, {language}: {rule} in {where}" for rule, where in serious(an.page)]
            assert an.page.get_by_test_id("stException").count() == 0
            assert an.page.evaluate("document.documentElement.lang") == language
    an.close()
    assert "\n".join(found) == ""
