"""Gold items: they look like any other sample, and their answers change nothing but the annotator's score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annotations.store.queries import Filters
from annotations.store.types import BadVerdict
from annotations.team.gold import GoldStore
from annotations.team.gold_items import GoldItems, Score
from curation.record import Message
from tests.annotations.conftest import Clock, make_item
from tests.annotations.team.conftest import Project, trusted_lines
from tests.annotations.ui.desk_page import open_desk, opened, page, press, sign_in

ITEMS = [make_item(n) for n in range(6)]
IDS = [item.sample.id for item in ITEMS]


@pytest.fixture
def store(url: str, clock: Clock):
    store = GoldStore(url, clock=clock)
    store.queue.load(ITEMS)
    yield store
    store.close()


def always(store: GoldStore, share: float = 1.0) -> GoldStore:
    store.mixing.share, store.mixing.chance = share, lambda: 0.0
    return store


def test_a_decided_sample_comes_back_as_an_open_one_and_stays_decided(store: GoldStore, clock: Clock) -> None:
    store.decide(IDS[0], "Dung", "reject", revision=0, reason="no_sense")
    GoldItems(store).add(IDS[0], "reject")
    events = store.log.events()
    usual = store.queue.next_item("An")
    item = always(store).queue.next_item("An", after=3)
    assert usual is not None and item is not None and item.id == IDS[0]
    assert (item.status, item.state, item.rank, item.holders) == ("pending", usual.state, 3, ())
    assert store.queue.open_item(IDS[0], "An") == item, "a page that is loaded again shows the same"
    clock.now += 5
    given = store.decide(item.id, "An", "approve", revision=0, seen=item.seen, event_id="e1", seconds=4)
    assert store.decide(item.id, "An", "approve", revision=0, seen=item.seen, event_id="e1", seconds=4) == given
    assert (given.verdict, given.seconds, given.panel) == ("approve", 4.0, 1)
    assert store.log.events() == events
    assert store.queue.item(IDS[0]).status == "rejected"
    assert GoldItems(store).scores() == [Score("An", 1, 0)]
    again = store.queue.next_item("An", after=3)
    assert again is not None and again.id != IDS[0], "no one is asked twice"

    assert store.undo("An") == given
    assert GoldItems(store).scores() == []
    back = store.queue.open_item(IDS[0], "An")
    store.decide(back.id, "An", "reject", revision=0, seen=back.seen)
    assert GoldItems(store).scores() == [Score("An", 1, 1)]
    assert store.log.events() == events


def test_undo_takes_what_was_done_last(store: GoldStore, clock: Clock) -> None:
    store.decide(IDS[0], "Dung", "approve", revision=0)
    GoldItems(store).add(IDS[0], "approve")
    always(store).queue.next_item("An")
    clock.now += 1
    store.decide(IDS[0], "An", "skip", revision=0)
    clock.now += 1
    store.decide(IDS[1], "An", "approve", revision=0)
    assert [store.undo("An").sample_id for _ in range(2)] == [IDS[1], IDS[0]]  # type: ignore[union-attr]
    assert store.undo("An") is None


def test_an_open_sample_is_offered_as_gold_alone(store: GoldStore) -> None:
    GoldItems(store).add(IDS[0], "approve")
    first = store.queue.next_item("An")
    assert first is not None and first.id == IDS[1]
    item = store.queue.open_item(IDS[0], "Bình")  # by a link
    store.decide(item.id, "Bình", "reject", revision=0, seen=item.seen)
    assert store.queue.item(IDS[0]).status == "pending"
    GoldItems(store).remove(IDS[0])
    assert store.queue.count("An", Filters()) == 6


def test_the_known_verdict_is_about_the_text_it_was_given_on(store: GoldStore) -> None:
    new = (Message("user", "Hả?"), Message("assistant", "Ta đây!"))
    GoldItems(store).add(IDS[0], "rewrite")
    store.decide(IDS[0], "Dung", "rewrite", revision=0, messages=new, adjudicate=True)
    item = always(store).queue.next_item("An")
    assert item is not None and item.messages == ITEMS[0].sample.messages
    store.decide(IDS[0], "An", "rewrite", revision=0, messages=[Message("assistant", "Ta!")])
    assert store.queue.item(IDS[0]).messages == new
    assert GoldItems(store).scores() == [Score("An", 1, 1)]


def test_a_cluster_s_verdict_leaves_a_gold_item_alone(store: GoldStore) -> None:
    GoldItems(store).add(IDS[0], "approve")
    items = [store.queue.open_item(sample, "An") for sample in IDS[:2]]
    batch = store.decide_many(items, "An", "reject", reason="near_duplicate")
    assert [d.sample_id for d in batch.decisions] == [IDS[1]]


@pytest.mark.parametrize(
    ("verdict", "given"),
    [
        ("approve", {"messages": ITEMS[0].sample.messages}),
        ("rewrite", {"messages": None}),
        ("rewrite", {"messages": ()}),
        ("rewrite", {"messages": (Message("assistant", "\u200b"),)}),
        ("approve", {"event_id": "with a space"}),
        ("approve", {"seconds": -1.0}),
    ],
)
def test_what_an_open_sample_refuses_a_gold_item_refuses_too(store: GoldStore, verdict: Any, given: Any) -> None:
    GoldItems(store).add(IDS[0], "approve")
    refusals = []
    for sample in IDS[:2]:
        store.queue.open_item(sample, "An")
        with pytest.raises(BadVerdict) as refused:
            store.decide(sample, "An", verdict, revision=0, **given)
        refusals.append(str(refused.value))
    assert refusals[0] == refusals[1], "the annotator could tell them apart"


def test_without_a_share_none_is_offered(store: GoldStore) -> None:
    store.decide(IDS[0], "Dung", "approve", revision=0)
    GoldItems(store).add(IDS[0], "approve")
    seen = [store.queue.next_item("An") for _ in range(6)]
    assert [item.id for item in seen if item] == IDS[1:]


def test_through_persona_the_command_and_the_desk(project: Project) -> None:
    project.configure("\n[review]\ngold_share = 1.0\n")
    project.write("lines", trusted_lines(3))
    project.run("dataset")
    project.run("review", "annotator", "Dung", "--role", "adjudicator")
    dung = open_desk("Dung")
    known = opened(dung)
    press(dung, "Approve")
    assert project.run("review", "gold", "add", known, "--verdict", "approve")[0]["sample_id"] == known
    an = sign_in("An")
    assert opened(an) == known
    history = page(open_desk("An", view="history", sample=known))
    assert "Dung" not in history and "This sample has no verdict yet" in history
    press(an, "Approve")
    assert opened(an) != known
    assert project.run("review", "gold", "list")["scores"] == [{"annotator": "An", "answered": 1, "right": 1}]
    assert "you judged 1 of 1 as known" in page(open_desk("An", view="me"))
    assert not [f for f in open_desk("An", view="dashboard").dataframe if "n" in f.value and "annotator" in f.value]
    assert [f for f in open_desk("Dung", view="dashboard").dataframe if "n" in f.value and "annotator" in f.value]
    assert project.run("review", "status")["kinds"]["conversation"] == {"approved": 1, "pending": 2}
    assert project.call("review", "gold", "remove", known).exit_code == 0
    assert project.call("review", "gold", "add", known).exit_code == 2


def test_settled_disputes_become_gold_items(project: Project, tmp_path: Path) -> None:
    project.configure("\n[review]\noverlap = 1.0\nannotators = 2\n")
    project.write("lines", trusted_lines(2))
    project.run("dataset")
    an, binh = sign_in("An"), sign_in("Bình")
    first = opened(an)
    press(an, "Approve")
    press(press(binh, "Reject"), "Makes no sense")
    project.run("review", "annotator", "Dung", "--role", "adjudicator")
    press(open_desk("Dung", view="adjudication"), "Follow Bình")
    added = project.run("review", "gold", "add", "--from-adjudicated", "5")
    assert [(item["sample_id"], item["verdict"]) for item in added] == [(first, "reject")]
    assert project.run("review", "gold", "add", "--from-adjudicated", "5") == []
