"""The views of a team with something in them: blind reading, choices, casting, many at once and search by meaning."""

from __future__ import annotations

import random
import re

import pytest

from annotations.store.log_sync import refresh
from annotations.store.queries import Filters
from annotations.team.audits import Audits
from curation.folders import Folders
from curation.persona import load_persona
from curation.record import Message
from tests.annotations.team.conftest import Project
from tests.annotations.ui.desk_browser import TIMEOUT_MS, Annotator
from tests.annotations.ui.desk_server import ROOT, Server
from tests.annotations.ui.test_desk_in_browser import shot
from tests.annotations.ui.test_views_in_axe import serious
from tests.curation.transcripts.test_casting import HABITS, speak
from tests.tools.transcripts import ass, one_after_another

pytestmark = pytest.mark.browser

ASK = "Ngươi sợ gì nhất?"
WAITING = [
    (ASK, "Sợ? Chữ đó ta nhai thử rồi, nhạt lắm!"),
    (ASK, "Có lẽ là bóng tối, vì chẳng thấy đường đi."),
    ("Mưa to thế này ngươi trú ở đâu?", "Trong hang gần suối, chờ tạnh rồi mới ra."),
]


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    """A desk of two adjudicators over a trusted corpus, an episode with names, and two with a voice without one."""
    project = Project(tmp_path_factory.mktemp("team"))
    rows = (ROOT / "datasets/sources/handwritten/conversations.vi.jsonl").read_text(encoding="utf-8").splitlines()
    (project.root / "trusted" / "conversations.vi.jsonl").write_text("\n".join(rows[:150]), encoding="utf-8")
    project.write("lines", WAITING)
    rng = random.Random(4)
    cast = [name for name in HABITS for _ in range(30)]
    rng.shuffle(cast)
    files = {"rừng 01": one_after_another([speak(rng, who) for who in cast], actors=cast)}
    for episode in (2, 3):
        said = [speak(rng, who) for _ in range(6) for who in ("Aoi", "Inosuke")]
        files[f"rừng 0{episode}"] = one_after_another(said, actors=["SPEAKER_01", "Inosuke"])
    for name, cues in files.items():
        (project.root / "lines" / f"{name}.ass").write_text(ass(cues), encoding="utf-8")
    persona = project.persona.read_text(encoding="utf-8")
    labels = 'languages = ["vi", "en"]\nuser_labels = ["Hỏi", "Người khác"]'
    project.persona.write_text(persona.replace('languages = ["vi"]', labels), encoding="utf-8")
    project.run("dataset")
    store = project.store()
    refresh(store, Folders(project.root), load_persona(project.persona).review)
    for who in ("An", "Bình"):
        store.people.add(who, "adjudicator")
    judge(project, store)
    server = Server(project.root)
    server.start()
    yield server, store
    server.stop()
    store.close()


def judge(project: Project, store) -> None:
    """Approve, reject and rewrite the waiting lines; audit the trusted ones, of which one is called wrong."""
    waiting = {item.messages[-1].content: item for item in store.queue.listing("An", Filters(), 1_000)}
    brave, dark, cave = (waiting[reply] for _, reply in WAITING)
    store.decide(brave.id, "An", "approve", revision=0)
    store.decide(dark.id, "An", "reject", revision=0, reason="wrong_voice")
    louder = [*cave.messages[:-1], Message("assistant", "Trú? Mưa phải trú ta! Ta đứng giữa đỉnh núi cho nó ướt thêm!")]
    store.decide(cave.id, "An", "rewrite", revision=0, messages=louder)
    project.run("review", "audit", "--sample", "8", "--people", "2")
    audits = Audits(store)
    for who, rows in (("An", 4), ("Bình", 8)):
        for number in range(rows):
            task = audits.task(who)
            assert task is not None
            wrong = (who, number) == ("An", 2)
            audits.answer(task.audit, task.item.id, who, "wrong" if wrong else "right", "no_sense" if wrong else "")


def see(page, text: str) -> None:
    page.get_by_text(text, exact=False).filter(visible=True).first.wait_for()


def audit(page) -> None:
    see(page, "Right")
    see(page, "Found wrong (")


def choices(page) -> None:
    see(page, "The first")
    see(page, "pairs left")


def casting(page) -> None:
    see(page, "Speaker_01")
    page.get_by_role("button", name="Aoi", exact=False).first.wait_for()


def many(page) -> None:
    page.get_by_label("Find", exact=True).fill("mưa")
    page.get_by_label("Replace with").fill("bão")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name=re.compile(r"Rewrite [1-9]\d* samples")).wait_for()


def meaning(page) -> None:
    # The model first reads every sample, which takes long on a busy machine.
    page.get_by_role("button", name="Open this one").first.wait_for(timeout=5 * TIMEOUT_MS)
    see(page, "0.8")


@pytest.mark.parametrize("width", [1280, 390])
def test_each_view_shows_what_there_is_and_axe_finds_nothing_serious(chromium, team, width):
    an = Annotator(chromium, *team, "An", width=width, height=900)
    found = []
    for view in (audit, choices, casting, many, meaning):
        name = view.__name__
        asked = "&meaning=Ngươi có sợ ma không?" if view is meaning else ""
        an.page.goto(f"{an.server.url}/?view={name}&lang=en{asked}")
        view(an.page)
        found += [f"{name}: {rule} in {where}" for rule, where in serious(an.page)]
        assert an.page.get_by_test_id("stException").count() == 0
        assert an.page.evaluate("document.documentElement.scrollWidth") <= width
        shot(an.page, name if width == 1280 else f"{name}-phone")
    an.close()
    assert "\n".join(found) == ""
