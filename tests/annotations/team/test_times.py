"""Seconds for a verdict, by annotator and kind: in the store, in the status and on the dashboard."""

from __future__ import annotations

from annotations.store.review_store import ReviewStore
from annotations.team.times import Pace, paces
from tests.annotations.conftest import make_item
from tests.annotations.team.conftest import Project, trusted_lines
from tests.annotations.ui.desk_page import open_desk, sign_in


def test_the_median_by_annotator_and_kind(store: ReviewStore) -> None:
    items = [make_item(n, kind="quote" if n > 2 else "conversation") for n in range(5)]
    store.queue.load(items)
    for item, seconds in zip(items, (4.0, 60.0, 8.0, 2.0, 0.0), strict=True):
        store.decide(item.sample.id, "An", "approve", revision=0, seconds=seconds)
    assert paces(store) == [
        Pace("An", "", 4, 6.0),
        Pace("An", "conversation", 3, 8.0),
        Pace("An", "quote", 1, 2.0),
    ]


def test_in_the_status_and_on_the_dashboard(project: Project) -> None:
    project.write("lines", trusted_lines(2))
    project.run("dataset")
    sign_in("An")
    store = project.store()
    item = store.queue.next_item("An")
    assert item is not None
    store.decide(item.id, "An", "approve", revision=0, seconds=12.3)
    store.close()
    found = project.run("review", "status")["seconds"]
    assert found[0] == {"annotator": "An", "kind": "", "verdicts": 1, "seconds": 12.3}
    assert "An: 12.3 s a verdict (median of 1)" in project.call("review", "status").output
    tables = [frame.value for frame in open_desk("An", view="dashboard").dataframe]
    assert any(list(table.get("seconds", [])) == [12.3, 12.3] for table in tables)
