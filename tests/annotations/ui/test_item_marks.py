"""An open sample's marks: from its flags, from the search, and from the twin that a flag names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from annotations.store.queries import Filters
from annotations.store.review_store import ReviewStore
from annotations.ui import markup
from annotations.ui.sample.item_marks import explained, item_marks, twins
from annotations.ui.session import Desk
from curation.folders import Folders
from curation.persona import Persona
from curation.record import Flag
from tests.annotations.conftest import make_item


@pytest.fixture
def desk(tmp_path: Path, persona: Persona):
    store = ReviewStore(f"sqlite:///{tmp_path / 'review.db'}")
    yield Desk(store, persona, Folders(tmp_path), "vi", who="An")
    store.close()


def test_the_words_of_flags_and_of_the_search_are_elements_of_the_page(desk: Desk) -> None:
    other = make_item(1, prompt="Ăn gì?", reply="Ta thích mặt ong!")
    accent = Flag("diacritics", f"without diacritics: 98.1 like {other.sample.id}")
    gone = Flag("near_duplicate", "c1: 95.0 like 0123456789abcdef")
    one = make_item(2, prompt="Ăn gì?", reply="Ta thích mật <b>ong</b>!", flags=(accent, gone))
    desk.store.queue.load([one, other])
    item = desk.store.queue.item(one.sample.id)
    named = twins(desk, item)
    assert list(named) == [other.sample.id]
    searching = replace(desk, filters=Filters(text="thich"))
    html = markup.turns(item.messages, desk.names, desk.cut, item_marks(searching, item, named))
    assert '<mark class="hit">thích</mark>' in html
    assert '<mark class="flag" title="Chỉ khác một mẫu khác ở dấu' in html and ">mật" in html
    assert "<b>ong" not in html


def test_a_flag_names_the_words_that_caused_it_unless_its_detail_does(desk: Desk) -> None:
    listed = Flag("out_of_character", "Inosuke would not say: dạ, xin phép")
    label = Flag("label_in_reply", "the label `Tanjiro:` is inside the reply")
    accent = Flag("diacritics", f"without diacritics: 98.1 like {make_item(1, reply='Ta thích mặt!').sample.id}")
    one = make_item(2, reply="Dạ, ta thích mật!", prompt="Ăn gì?", flags=(listed, label, accent))
    desk.store.queue.load([one, make_item(1, reply="Ta thích mặt!")])
    item = desk.store.queue.item(one.sample.id)
    spoken, inside, marks = explained(desk, item, twins(desk, item))
    assert (spoken.detail, spoken.words) == ("Inosuke không nói: dạ, xin phép", ())
    assert (inside.detail, inside.words) == ("nhãn “Tanjiro:”", ())
    assert "mật" in " ".join(marks.words)
    assert marks.twin == make_item(1, reply="Ta thích mặt!").sample.id
