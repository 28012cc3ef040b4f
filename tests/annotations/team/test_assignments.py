"""Assigned samples: offered to one person first and to no one else, over SQLite and PostgreSQL, and by the commands."""

from __future__ import annotations

import pytest

from annotations.store.queries import Filters
from annotations.store.review_store import ReviewStore
from annotations.team.assignments import Assignments, Share
from curation.errors import UsageError
from curation.persona import Review
from tests.annotations.conftest import make_item
from tests.annotations.team.conftest import Project, trusted_lines
from tests.annotations.ui.desk_page import open_desk, opened, press, sign_in

ITEMS = [make_item(n, kind="quote" if n % 2 else "conversation") for n in range(6)]
IDS = [item.sample.id for item in ITEMS]


@pytest.fixture
def work(store: ReviewStore) -> Assignments:
    store.queue.load(ITEMS)
    for name in ("An", "Bình", "Chi"):
        store.people.add(name)
    return Assignments(store)


def next_id(store: ReviewStore, who: str, **filters: str) -> str | None:
    item = store.queue.next_item(who, Filters(**filters))
    if item is not None:
        store.queue.release(item.id, who)
    return None if item is None else item.id


def test_what_is_assigned_comes_first_and_is_not_offered_to_others(work: Assignments) -> None:
    store = work.store
    assert work.assign("An", Filters(kind="quote"), 2) == [IDS[1], IDS[3]]
    assert next_id(store, "An") == IDS[1]
    assert next_id(store, "Bình") == IDS[0]
    assert store.queue.count("Bình", Filters()) == 4
    assert store.queue.count("An", Filters()) == 6, "the rest is An's too, after their own"
    assert store.queue.count("An", Filters(queue="mine")) == 2
    assert next_id(store, "Bình", queue="all") == IDS[0]
    assert store.queue.count("Bình", Filters(queue="all")) == 6

    store.decide(IDS[1], "An", "approve", revision=0)
    assert next_id(store, "An") == IDS[3]
    store.decide(IDS[3], "An", "reject", revision=0)
    assert work.shares() == [Share("An", 0, 2)]
    assert next_id(store, "An", queue="mine") is None
    assert next_id(store, "An") == IDS[0], "then An goes on with what is no one's"
    store.undo("An")
    assert next_id(store, "An") == IDS[3], "an undone verdict brings the sample back"


def test_two_people_never_get_one_sample(work: Assignments) -> None:
    first = work.assign("An", Filters(), 4)
    second = work.assign("Bình", Filters(), 4)
    assert (first, second) == (IDS[:4], IDS[4:])
    assert work.assign("An", Filters(), 4) == [], "again assigns nothing twice"


def test_a_panel_takes_as_many_assignees_as_it_has_members(store: ReviewStore) -> None:
    store.queue.load(ITEMS, Review(overlap=1.0, annotators=2))
    for name in ("An", "Bình", "Chi"):
        store.people.add(name)
    work = Assignments(store)
    assert work.assign("An", Filters(), 1) == work.assign("Bình", Filters(), 1) == IDS[:1]
    assert work.assign("Chi", Filters(), 1) == [IDS[1]]
    assert next_id(store, "An") == next_id(store, "Bình") == IDS[0]
    work.clear("Chi", Filters())
    assert next_id(store, "Chi") == IDS[1], "both places of the first sample are taken"
    work.clear("Bình", Filters())
    assert next_id(store, "Chi") == IDS[0], "one place is free again"


def test_clearing_takes_skipped_samples_too_and_leaves_decided_ones(work: Assignments) -> None:
    store = work.store
    work.assign("An", Filters(), 3)
    store.decide(IDS[0], "An", "skip", revision=0)
    store.decide(IDS[1], "An", "approve", revision=0)
    assert work.clear("An", Filters()) == 2
    assert work.shares() == [Share("An", 0, 1)]
    assert next_id(store, "Bình") == IDS[0]


def test_a_name_that_no_one_has_is_refused(work: Assignments) -> None:
    with pytest.raises(UsageError, match=r"no annotator is called 'Anh'. Known: An, Bình, Chi"):
        work.assign("Anh", Filters(), 1)
    with pytest.raises(UsageError):
        work.clear("Anh", Filters())


def test_by_the_commands_and_at_the_desk(project: Project) -> None:
    project.write("lines", trusted_lines(5))
    project.run("dataset")
    refused = project.call("review", "assign", "--to", "An", "--limit", "2")
    assert refused.exit_code == 1 and "No one is known yet" in str(refused.exception)
    project.call("review", "annotator", "An")
    project.call("review", "annotator", "Bình")
    wrong = project.call("review", "assign", "--to", "An", "--kind", "quotes")
    assert "no sample of the queue has the kind 'quotes'" in str(wrong.exception)
    assert project.run("review", "assign", "--to", "An", "--limit", "2") == {"annotator": "An", "assigned": 2}
    an, binh = open_desk("An"), open_desk("Bình")
    store = project.store()
    ranks = [store.queue.item(opened(app)).rank for app in (an, binh)]
    store.close()
    assert ranks == [0, 2], "Bình's first sample is the first that is no one's"
    press(an, "Approve")
    assert project.run("review", "assigned") == [{"annotator": "An", "open": 1, "done": 1}]
    assert project.run("review", "assign", "--to", "An", "--clear") == {"annotator": "An", "cleared": 1}
    assert opened(sign_in("Chi")), "what was taken away is anyone's again"
