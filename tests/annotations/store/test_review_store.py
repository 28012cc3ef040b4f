"""The review store, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from annotations.search_text import BadPattern
from annotations.store.panels import drawn_panel
from annotations.store.projection import status_of
from annotations.store.queries import ANY_FLAG, Filters
from annotations.store.review_store import ReviewStore
from annotations.store.schema import HEAD
from annotations.store.types import (
    BadVerdict,
    BuiltUpon,
    Leased,
    NeedsAdjudicator,
    StaleVerdict,
    UnknownSample,
)
from curation.cleaning.typed_text import clean_typed
from curation.persona import Review
from curation.record import Flag, Message
from curation.review.decisions import Decision, fold, trusted_approval

BETTER = (Message("user", "Đi đâu đấy?"), Message("assistant", "Lên núi! Tránh ra, ngươi cản đường ta!"))


OTHER = (Message("user", "Đi đâu đấy?"), Message("assistant", "Xuống sông!"))
BLIND = Review(overlap=1.0, annotators=2)


def statuses(store: ReviewStore) -> dict[str, int]:
    return {status: n for kind in store.queue.counts().values() for status, n in kind.items()}


# ---------------------------------------------------------------- the queue


def test_loading_twice_changes_nothing_and_verdicts_stay(store, item):
    queue = [item(i) for i in range(4)]
    assert store.queue.load(queue).added == 4
    store.decide(queue[0].sample.id, "an", "approve", revision=0)
    again = store.queue.load(queue)
    assert (again.added, again.changed, again.gone) == (0, 0, 0)
    assert statuses(store) == {"approved": 1, "pending": 3}


def test_a_sample_that_a_later_build_no_longer_has_keeps_its_events_and_comes_back(store, item):
    queue = [item(i) for i in range(2)]
    store.queue.load(queue)
    store.decide(queue[0].sample.id, "an", "approve", revision=0)
    assert store.queue.load(queue[1:]).gone == 1
    assert statuses(store) == {"pending": 1}
    assert len(store.log.history(queue[0].sample.id)) == 1
    store.queue.load(queue)
    assert statuses(store) == {"approved": 1, "pending": 1}


def test_flagged_first_then_clusters_together_then_the_rest(store, item):
    plain = [item(i) for i in range(2)]
    near = [item(i, cluster="c1", flags=(Flag("near_duplicate", "…"),)) for i in (10, 11)]
    polite = item(20, flags=(Flag("out_of_character", "avoided: dạ"),))
    store.queue.load([plain[0], near[0], plain[1], near[1], polite])
    order = []
    rank = None
    while (found := store.queue.neighbour("an", Filters(), rank)) is not None:
        order.append(found)
        rank = store.queue.item(found).rank
    assert order == [i.sample.id for i in (polite, near[0], near[1], plain[0], plain[1])]


def test_a_cluster_with_a_flagged_member_comes_first_as_a_whole(store, item):
    plain = item(1)
    pair = [item(10, cluster="c1"), item(11, cluster="c1", flags=(Flag("language", "looks like `en`"),))]
    store.queue.load([plain, *pair])
    assert store.queue.next_item("an").id == pair[0].sample.id
    assert store.queue.next_item("binh").id == pair[1].sample.id


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(kind="quote"), [1]),
        (Filters(language="en"), [2]),
        (Filters(source="b.srt"), [3]),
        (Filters(flag="over_length"), [4]),
        (Filters(flag="over"), []),
        (Filters(flag=ANY_FLAG), [4]),
        (Filters(speaker="Zenitsu"), [3]),
        (Filters(text="NÚI CAO"), [5]),
        (Filters(text="100%"), [6]),
        (Filters(text="_"), []),
    ],
    ids=str,
)
def test_filters(store, item, filters, expected):
    queue = {
        1: item(1, kind="quote"),
        2: item(2, language="en"),
        3: item(3, path="b.srt", name="Zenitsu"),
        4: item(4, flags=(Flag("over_length", "…"), Flag("language", "…"))),
        5: item(5, reply="Ta đứng trên núi cao!"),
        6: item(6, reply="Mạnh 100% luôn!"),
    }
    store.queue.load(list(queue.values()))
    found = {key for key, i in queue.items() if i.sample.id in _ids(store, filters)}
    assert sorted(found) == expected


def _ids(store: ReviewStore, filters: Filters) -> set[str]:
    found: set[str] = set()
    rank = None
    while (sample := store.queue.neighbour("an", filters, rank)) is not None:
        found.add(sample)
        rank = store.queue.item(sample).rank
    return found


def test_search_looks_in_the_rewritten_text_too(store, item):
    one = item(1)
    store.queue.load([one])
    store.decide(one.sample.id, "an", "rewrite", revision=0, messages=BETTER)
    assert _ids(store, Filters(status="all", text="cản đường")) == {one.sample.id}
    assert _ids(store, Filters(status="all", text="leo 1 ngọn")) == {one.sample.id}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("mat", [1, 2]),
        ("MẬT", [1]),
        ("ngot mat", [1]),
        ('"mat ngot"', [1]),
        ('"ngot mat"', []),
        ("tanjiro", [2]),
        ("tanjiro mặt", [2]),
        ("/m.t (ngot|troi)/", [1, 2]),
        ("/mặt|rau/", [2, 3]),
        ("100%", [3]),
        ("%", [3]),
    ],
)
def test_search_goes_by_words_marks_and_patterns(store, item, typed, expected):
    queue = {
        1: item(1, reply=unicodedata.normalize("NFD", "Mật ngọt!")),
        2: item(2, reply="Mặt trời!", name="Tanjiro"),
        3: item(3, reply="Rau 100%!"),
    }
    store.queue.load(list(queue.values()))
    found = _ids(store, Filters(text=typed))
    assert sorted(key for key, i in queue.items() if i.sample.id in found) == expected
    assert store.queue.count("an", Filters(text=typed)) == len(expected)


def test_search_finds_an_id_and_its_first_digits(store, item):
    one, two = item(1), item(2)
    store.queue.load([one, two])
    assert _ids(store, Filters(text=one.sample.id)) == {one.sample.id}
    assert _ids(store, Filters(text=f" {one.sample.id[:8]} ")) == {one.sample.id}
    assert _ids(store, Filters(text=f"{one.sample.id[:8]} ngon")) == {one.sample.id}


def test_a_pattern_sees_rewrites_their_undo_and_a_later_queue(store, item):
    one, two = item(1), item(2)
    store.queue.load([one])
    cliff = Filters(status="all", text="/v[aá]ch đá/")
    assert _ids(store, cliff) == set()
    store.decide(one.sample.id, "an", "rewrite", revision=0, messages=(Message("assistant", "Vách đá là nhà ta!"),))
    assert _ids(store, cliff) == {one.sample.id}
    store.undo("an")
    assert _ids(store, cliff) == set()
    three = item(3, reply="Ta sinh ra trên vách đá!")
    store.queue.load([one, two, three])
    assert _ids(store, cliff) == {three.sample.id}


def test_a_bad_pattern_is_refused_in_words(store, item):
    store.queue.load([item(1, reply="ta" * 40 + "?")])
    with pytest.raises(BadPattern, match="is not a regular expression"):
        store.queue.next_item("an", Filters(text="/(/"))
    with pytest.raises(BadPattern, match="takes too long"):
        store.queue.count("an", Filters(text=r"/^(\w|\w\w)+$/"))


def test_a_megabyte_a_nul_and_markup_come_back_as_they_went_in(store, item):
    odd = item(1, reply="<script>alert('x')</script> ```` \0 \\ % _ " + "Ta! " * 250_000)
    store.queue.load([odd])
    store.decide(odd.sample.id, "an", "rewrite", revision=0, messages=odd.sample.messages, reason="\0 \"'\\n")
    assert store.queue.item(odd.sample.id).sample == odd.sample
    assert store.queue.item(odd.sample.id).messages == clean_typed(odd.sample.messages)[0]
    assert store.log.history(odd.sample.id)[0].reason == "\0 \"'\\n"


# ---------------------------------------------------------------- leases


def test_two_annotators_never_get_one_sample_and_a_lease_expires(store, clock, item):
    queue = [item(i) for i in range(2)]
    store.queue.load(queue)
    first, second = store.queue.next_item("an"), store.queue.next_item("binh")
    assert {first.id, second.id} == {q.sample.id for q in queue}
    assert store.queue.next_item("chi") is None
    clock.now += store.queue.lease_seconds - 1
    store.queue.renew([second.id], "binh")
    clock.now += 2
    assert store.queue.next_item("chi").id == first.id


def test_a_verdict_on_a_leased_sample_is_refused(store, item):
    store.queue.load([item(1)])
    held = store.queue.next_item("an")
    with pytest.raises(Leased, match="an has sample"):
        store.decide(held.id, "binh", "approve", revision=0)
    assert store.queue.item(held.id, "binh").holders == ("an",)
    store.queue.release(held.id, "an")
    store.decide(held.id, "binh", "approve", revision=0)


def test_next_continues_behind_the_last_one_and_then_from_the_front(store, item):
    queue = [item(i) for i in range(3)]
    store.queue.load(queue)
    middle = store.queue.item(queue[1].sample.id)
    assert store.queue.next_item("an", after=middle.rank).id == queue[2].sample.id
    assert store.queue.next_item("an", after=middle.rank).id == queue[0].sample.id


# ---------------------------------------------------------------- verdicts


def test_approve_reject_rewrite_skip_and_note(store, item):
    queue = [item(i) for i in range(5)]
    ids = [q.sample.id for q in queue]
    store.queue.load(queue)
    store.decide(ids[0], "an", "approve", revision=0)
    store.decide(ids[1], "an", "reject", revision=0, reason="wrong_voice")
    store.decide(ids[2], "an", "rewrite", revision=0, messages=BETTER)
    store.decide(ids[3], "an", "skip", revision=0)
    store.decide(ids[4], "an", "note", revision=0, reason="hỏi lại Bình")
    assert statuses(store) == {"approved": 2, "rejected": 1, "pending": 2}
    assert store.queue.item(ids[1]).state.reason == "wrong_voice"
    assert (store.queue.item(ids[2]).messages, store.queue.item(ids[2]).state.revision) == (BETTER, 1)
    assert store.queue.item(ids[4]).state.notes == ("hỏi lại Bình",)
    # A sample that one annotator skips goes to another.
    assert store.queue.next_item("an").id == ids[4]
    assert store.queue.next_item("binh").id == ids[3]
    assert _ids(store, Filters(status="skipped")) == {ids[3]}


def test_a_verdict_on_an_old_revision_is_answered_with_the_newer_one(store, item):
    store.queue.load([item(1)])
    seen = store.queue.item(item(1).sample.id)
    store.decide(seen.id, "binh", "rewrite", revision=0, messages=BETTER)
    with pytest.raises(StaleVerdict, match="has decided") as caught:
        store.decide(seen.id, "an", "approve", revision=0)
    assert caught.value.item.messages == BETTER
    assert len(store.log.history(seen.id)) == 1


def test_a_verdict_in_between_is_noticed_even_when_the_revision_stayed(store, item):
    store.queue.load([item(1)])
    seen = store.queue.item(item(1).sample.id)
    store.decide(seen.id, "binh", "reject", revision=0, reason="wrong_speaker")
    with pytest.raises(StaleVerdict, match="binh has decided"):
        store.decide(seen.id, "an", "approve", revision=0, seen=seen.seen)
    now = store.queue.item(seen.id)
    store.decide(seen.id, "an", "approve", revision=0, seen=now.seen)
    assert store.queue.item(seen.id).status == "approved"


def test_a_key_pressed_twice_makes_one_verdict(store, item):
    store.queue.load([item(1)])
    seen = store.queue.next_item("an")
    store.decide(seen.id, "an", "approve", revision=0, seen=seen.seen)
    with pytest.raises(StaleVerdict) as caught:
        store.decide(seen.id, "an", "approve", revision=0, seen=seen.seen)
    assert caught.value.by == "an"
    assert len(store.log.history(seen.id)) == 1


def test_a_second_tab_of_the_same_annotator_is_told_that_the_first_has_decided(store, item):
    store.queue.load([item(1)])
    seen = store.queue.next_item("an")
    store.decide(seen.id, "an", "rewrite", revision=0, messages=BETTER, seen=seen.seen, event_id="tab-1")
    with pytest.raises(StaleVerdict, match=r"you have decided on sample .* in another tab") as caught:
        store.decide(seen.id, "an", "rewrite", revision=0, messages=OTHER, seen=seen.seen, event_id="tab-2")
    assert (caught.value.same, caught.value.by, caught.value.item.messages) == (True, "an", BETTER)


@pytest.mark.parametrize(
    ("verdict", "messages", "annotator"),
    [
        ("rewrite", None, "an"),
        ("rewrite", (), "an"),
        ("approve", BETTER, "an"),
        ("approve", None, "  "),
        ("undo", None, "an"),
    ],
)
def test_a_verdict_that_contradicts_itself_is_refused(store, item, verdict, messages, annotator):
    store.queue.load([item(1)])
    with pytest.raises(BadVerdict):
        store.decide(item(1).sample.id, annotator, verdict, revision=0, messages=messages)
    assert store.log.events() == []


def test_an_unknown_sample_is_named(store):
    with pytest.raises(UnknownSample, match="no sample 'nowhere'"):
        store.decide("nowhere", "an", "approve", revision=0)
    with pytest.raises(UnknownSample):
        store.queue.open_item("nowhere", "an")


def test_verdicts_of_one_millisecond_keep_their_order(store, item):
    """This test's clock does not move, and the fold orders by time."""
    one = item(1).sample.id
    store.queue.load([item(1)])
    for verdict in ("approve", "reject", "approve", "reject"):
        store.decide(one, "an", verdict, revision=0)
    assert [e.verdict for e in store.log.history(one)] == ["approve", "reject", "approve", "reject"]
    assert store.queue.item(one).status == "rejected"


# ---------------------------------------------------------------- undo


def test_undo_reaches_back_over_everything_and_after_a_restart(store, url, clock, item):
    queue = [item(i) for i in range(3)]
    store.queue.load(queue)
    for q in queue:
        store.decide(q.sample.id, "an", "approve", revision=0)
    store.decide(queue[2].sample.id, "binh", "note", revision=0, reason="tốt")
    store.close()
    later = ReviewStore(url, clock=clock)
    undone = [later.undo("an") for _ in range(4)]
    assert [d.sample_id if d else None for d in undone] == [*[q.sample.id for q in reversed(queue)], None]
    assert statuses(later) == {"pending": 3}
    assert later.undo("binh").verdict == "note"
    later.close()


def test_undo_of_a_rewrite_that_another_annotator_continued_from_is_refused(store, item):
    one = item(1).sample.id
    store.queue.load([item(1)])
    store.decide(one, "an", "rewrite", revision=0, messages=BETTER)
    store.decide(one, "binh", "rewrite", revision=1, messages=BETTER[1:])
    with pytest.raises(BuiltUpon, match="binh continued"):
        store.undo("an")
    assert store.queue.item(one).messages == BETTER[1:]


def test_undo_is_refused_while_another_annotator_has_the_sample_open(store, item):
    one = item(1).sample.id
    store.queue.load([item(1)])
    store.decide(one, "an", "approve", revision=0)
    store.queue.open_item(one, "binh")
    with pytest.raises(Leased):
        store.undo("an")


def test_a_blind_vote_can_be_undone_while_the_other_of_the_panel_has_the_sample_open(store, item):
    store.queue.load([item(1)], BLIND)
    one = store.queue.next_item("an").id
    store.queue.next_item("binh")
    store.decide(one, "an", "approve", revision=0)
    assert store.undo("an").sample_id == one
    assert store.queue.item(one).state.voters == ()


# ---------------------------------------------------------------- blind double review


def test_a_panel_of_two_gets_the_sample_at_once_and_a_third_annotator_does_not(store, item):
    store.queue.load([item(1)], BLIND)
    one = store.queue.next_item("an")
    assert one.panel == 2
    assert store.queue.next_item("binh").id == one.id
    assert store.queue.next_item("chi") is None
    store.decide(one.id, "an", "approve", revision=0, seen=one.seen)
    assert store.queue.item(one.id).status == "pending"
    assert store.queue.next_item("an") is None
    assert store.queue.next_item("chi") is None


def test_two_blind_verdicts_that_agree_decide(store, item):
    store.queue.load([item(1)], BLIND)
    first, second = store.queue.next_item("an"), store.queue.next_item("binh")
    store.decide(first.id, "an", "rewrite", revision=0, messages=BETTER, seen=first.seen)
    store.decide(second.id, "binh", "rewrite", revision=0, messages=BETTER, seen=second.seen)
    decided = store.queue.item(first.id)
    assert (decided.status, decided.messages, decided.state.revision) == ("approved", BETTER, 1)


def test_two_blind_verdicts_that_differ_wait_for_an_adjudicator(store, item):
    store.queue.load([item(1)], BLIND)
    one = store.queue.next_item("an")
    store.decide(one.id, "an", "approve", revision=0)
    store.decide(one.id, "binh", "reject", revision=0, reason="too_polite")
    assert statuses(store) == {"disputed": 1}
    assert store.queue.item(one.id).state.status == "pending"  # so the export leaves it out
    with pytest.raises(NeedsAdjudicator):
        store.decide(one.id, "chi", "approve", revision=0)
    store.decide(one.id, "chi", "reject", revision=0, reason="too_polite", adjudicate=True)
    assert statuses(store) == {"rejected": 1}
    assert [d.panel for d in store.log.history(one.id)] == [2, 2, 1]


def test_a_share_of_the_samples_is_drawn_the_same_way_everywhere(item):
    ids = [item(i).sample.id for i in range(2_000)]
    drawn = [i for i in ids if drawn_panel(i, Review(overlap=0.1)) == 2]
    assert 140 < len(drawn) < 260
    assert {i for i in ids if drawn_panel(i, Review(overlap=0.2)) == 2} > set(drawn)
    assert drawn_panel(ids[0], Review(overlap=0.0)) == 1
    assert drawn_panel("not a hash", Review(overlap=1.0)) == 1


# ---------------------------------------------------------------- persona.toml's [review] changes

ONE = Review(overlap=0.0)


def test_a_waiting_vote_keeps_the_panel_it_was_given_under(store, item):
    queue = [item(1), item(2)]
    voted, untouched = (q.sample.id for q in queue)
    store.queue.load(queue, BLIND)
    store.decide(voted, "an", "approve", revision=0)
    before = store.log.events()
    assert store.queue.load(queue, ONE).changed == 2
    assert (store.queue.item(voted).panel, store.queue.item(untouched).panel) == (2, 1)
    assert store.log.events() == before
    assert store.queue.next_item("binh").id == voted
    assert store.decide(voted, "binh", "approve", revision=0).panel == 2
    assert store.queue.item(voted).status == "approved"
    assert store.decide(untouched, "binh", "approve", revision=0).panel == 1


def test_a_vote_that_is_undone_frees_its_sample_for_the_new_table(store, item):
    one = item(1).sample.id
    store.queue.load([item(1)], BLIND)
    store.decide(one, "an", "approve", revision=0)
    store.queue.load([item(1)], ONE)
    store.undo("an")
    assert store.queue.item(one).panel == 1
    store.decide(one, "an", "approve", revision=0)
    assert statuses(store) == {"approved": 1}


def test_a_larger_panel_asks_more_annotators_about_open_samples_only(store, item):
    queue = [item(1), item(2), item(3)]
    decided, waiting, disputed = (q.sample.id for q in queue)
    store.queue.load(queue, BLIND)
    for sample, who, verdict in (
        (decided, "an", "approve"),
        (decided, "binh", "approve"),
        (waiting, "an", "approve"),
        (disputed, "an", "approve"),
        (disputed, "binh", "reject"),
    ):
        store.decide(sample, who, verdict, revision=0)
    store.queue.load(queue, Review(overlap=1.0, annotators=3))
    assert statuses(store) == {"approved": 1, "pending": 1, "disputed": 1}
    store.decide(waiting, "binh", "approve", revision=0)
    assert store.queue.item(waiting).status == "pending"
    assert store.queue.next_item("chi").id == waiting
    store.decide(waiting, "chi", "approve", revision=0)
    assert statuses(store) == {"approved": 2, "disputed": 1}


def test_a_decided_sample_stays_decided_when_panels_are_switched_on(store, item):
    one = item(1).sample.id
    store.queue.load([item(1)], ONE)
    store.decide(one, "an", "approve", revision=0)
    store.queue.load([item(1)], BLIND)
    assert statuses(store) == {"approved": 1}
    assert store.queue.next_item("binh") is None


def test_a_vote_from_a_clone_with_panels_waits_here_for_its_second(store, item):
    one = item(1).sample.id
    store.queue.load([item(1)], ONE)
    vote = Decision(
        id="e" * 32,
        sample_id=one,
        revision=0,
        verdict="approve",
        messages=None,
        reason="",
        annotator="an",
        client="streamlit",
        time="2026-01-01T00:00:00.000+00:00",
        panel=2,
    )
    store.log.add([vote])
    found = store.queue.next_item("binh")
    assert (found.id, found.panel, found.status) == (one, 2, "pending")


# ---------------------------------------------------------------- the log


def test_events_from_elsewhere_are_added_once_and_change_the_state(store, item):
    store.queue.load([item(1)])
    approval = trusted_approval(item(1).sample.id, "tác giả", "sources", "2026-01-02T00:00:00.000+00:00")
    assert (store.log.add([approval]), store.log.add([approval])) == (1, 0)
    assert statuses(store) == {"approved": 1}


def test_of_two_imports_of_one_sample_the_earlier_stands_in_any_order(store, item):
    one = item(1).sample.id
    early = trusted_approval(one, "a", "sources", "2026-01-01T00:00:00.000+00:00")
    late = trusted_approval(one, "b", "sources", "2026-01-02T00:00:00.000+00:00")
    store.log.add([late])
    store.log.add([early])
    store.log.add([late])
    assert store.log.events() == [early]


def test_events_of_an_unknown_sample_are_kept_and_count_once_the_queue_brings_it(store, item):
    store.log.add([trusted_approval(item(1).sample.id, "a", "s", "2026-01-01T00:00:00.000+00:00")])
    assert store.statistics.unknown_samples() == 1
    store.queue.load([item(1)])
    assert (store.statistics.unknown_samples(), statuses(store)) == (0, {"approved": 1})


def test_the_projection_can_be_rebuilt_from_the_events(store, item):
    queue = [item(i) for i in range(3)]
    store.queue.load(queue)
    store.decide(queue[0].sample.id, "an", "approve", revision=0)
    store.decide(queue[1].sample.id, "an", "skip", revision=0)
    before = statuses(store)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE samples SET status = 'rejected', revision = 7"))
        connection.execute(text("DELETE FROM passed"))
    store.rebuild()
    assert statuses(store) == before
    assert store.queue.next_item("an").id == queue[2].sample.id
    folded = fold(store.log.events())
    assert {s: status_of(folded[s]) for s in folded} == {s: store.queue.item(s).status for s in folded}


# ---------------------------------------------------------------- drafts and people


def test_only_the_rewrite_that_uses_it_or_its_name_ends_a_draft(store, item):
    one = item(1).sample.id
    store.queue.load([item(1)])
    store.drafts.save(one, "an", 0, BETTER[:1])
    store.drafts.save(one, "an", 0, BETTER)
    assert store.drafts.get(one, "binh") is None
    for verdict in ("note", "approve", "reject", "skip"):
        store.decide(one, "an", verdict, revision=0, reason="…")
        assert store.drafts.get(one, "an").messages == BETTER
    store.decide(one, "an", "rewrite", revision=0, messages=OTHER, uses_draft=False)
    assert store.drafts.samples("an") == [one]
    store.decide(one, "an", "rewrite", revision=1, messages=BETTER, uses_draft=False)  # it is the draft's text
    assert store.drafts.get(one, "an") is None


def test_undo_of_a_rewrite_makes_its_text_a_draft_again(store, item):
    one = item(1).sample.id
    store.queue.load([item(1)])
    for turns in (BETTER, OTHER):
        revision = store.queue.item(one).state.revision
        store.drafts.save(one, "an", revision, turns)
        store.decide(one, "an", "rewrite", revision=revision, messages=turns)
    store.undo("an")
    draft = store.drafts.get(one, "an")
    assert (draft.messages, draft.revision) == (OTHER, 1)
    store.undo("an")  # a newer draft is there and stays
    assert store.drafts.get(one, "an") == draft


def test_a_discard_can_be_undone_unless_a_newer_draft_is_there(store, item):
    one = item(1).sample.id
    store.queue.load([item(1)])
    store.drafts.drop(one, "an")
    assert store.drafts.restore(one, "an") is None
    for turns in (OTHER, BETTER):
        store.drafts.save(one, "an", 0, turns)
        store.drafts.drop(one, "an")
    assert store.drafts.get(one, "an") is None
    assert store.drafts.restore(one, "an").messages == BETTER
    assert store.drafts.get(one, "an").messages == BETTER
    store.drafts.drop(one, "an")
    store.drafts.save(one, "an", 0, OTHER)
    assert store.drafts.restore(one, "an") is None
    assert store.drafts.get(one, "an").messages == OTHER


# ---------------------------------------------------------------- many samples as one action


def test_a_batch_is_decided_and_undone_as_one_and_says_what_refused(store, item):
    queue = [item(i) for i in range(4)]
    ids = [q.sample.id for q in queue]
    store.queue.load(queue)
    store.decide(ids[3], "an", "approve", revision=0)
    shown = [store.queue.item(i, "an") for i in ids[:3]]
    store.queue.open_item(ids[1], "binh")
    done = store.decide_many(
        shown, "an", {ids[0]: "approve", ids[1]: "reject", ids[2]: "reject"}, reason={ids[2]: "no"}
    )
    assert [d.sample_id for d in done.decisions] == [ids[0], ids[2]]
    assert {d.batch for d in done.decisions} == {done.id}
    assert [d.reason for d in done.decisions] == ["", "no"]
    assert list(done.refused) == [ids[1]]
    assert isinstance(done.refused[ids[1]], Leased)
    assert statuses(store) == {"approved": 2, "rejected": 1, "pending": 1}
    again = store.decide_many(
        shown, "an", {ids[0]: "approve", ids[1]: "reject", ids[2]: "reject"}, reason={ids[2]: "no"}, batch=done.id
    )
    assert again.decisions == done.decisions
    assert {d.sample_id for d in store.take_back("an")} == {ids[0], ids[2]}
    assert statuses(store) == {"approved": 1, "pending": 3}
    assert store.undo("an").sample_id == ids[3]
    assert store.undo("an") is None


def test_a_batch_of_rewrites_leaves_typed_drafts_alone(store, item):
    queue = [item(1), item(2)]
    store.queue.load(queue)
    shown = [store.queue.item(q.sample.id) for q in queue]
    store.drafts.save(shown[0].id, "an", 0, OTHER)
    store.decide_many(shown, "an", "rewrite", messages={i.id: BETTER for i in shown})
    assert statuses(store) == {"approved": 2}
    store.undo("an")
    assert statuses(store) == {"pending": 2}
    assert store.drafts.samples("an") == [shown[0].id]
    assert store.drafts.get(shown[0].id, "an").messages == OTHER


def test_undo_of_a_batch_leaves_what_another_annotator_continued_from(store, item):
    queue = [item(1), item(2)]
    store.queue.load(queue)
    shown = [store.queue.item(q.sample.id) for q in queue]
    store.decide_many(shown, "an", "rewrite", messages={i.id: BETTER for i in shown})
    store.decide(shown[0].id, "binh", "rewrite", revision=1, messages=OTHER)
    assert [d.sample_id for d in store.take_back("an")] == [shown[1].id]
    with pytest.raises(BuiltUpon):
        store.take_back("an")


# ---------------------------------------------------------------- what was typed is cleaned


def test_a_rewrite_is_cleaned_whoever_the_client_is(store, item):
    store.queue.load([item(1)])
    typed = (Message("user", "Nga\u200bi?", "Ta\u00adn"), Message("assistant", "m\u00e2\u0323t\u202e\0\ufeff"))
    made = store.decide(item(1).sample.id, "an", "rewrite", revision=0, messages=typed, client="cli", event_id="e")
    assert made.messages == (Message("user", "Ngai?", "Tan"), Message("assistant", "mật"))
    again = store.decide(item(1).sample.id, "an", "rewrite", revision=0, messages=typed, client="cli", event_id="e")
    assert again == made


@pytest.mark.parametrize("content", ["", " \u200b ", "\ud83d"])
def test_a_turn_without_visible_text_is_refused(store, item, content):
    store.queue.load([item(1)])
    with pytest.raises(BadVerdict, match="turn 2"):
        store.decide(
            item(1).sample.id, "an", "rewrite", revision=0, messages=(BETTER[0], Message("assistant", content))
        )
    assert store.log.events() == []


def test_names_are_kept_with_their_role(store):
    store.people.add("Bình")
    store.people.add("An", "adjudicator")
    store.people.add("An")
    assert store.people.roles() == {"An": "adjudicator", "Bình": "annotator"}


# ---------------------------------------------------------------- the schema


def test_the_migrations_lead_to_the_tables_that_the_code_uses(store):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from annotations.store.schema import metadata

    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD


def test_a_store_of_before_keeps_its_texts_through_the_migration_and_back(store, item):
    from alembic import command
    from alembic.config import Config

    import annotations

    config = Config()
    config.set_main_option("script_location", str(Path(annotations.__file__).parent / "migrations"))
    one, two = item(1, reply="Mật ngọt!"), item(2)
    store.queue.load([one, two])
    store.decide(two.sample.id, "an", "rewrite", revision=0, messages=(Message("assistant", "Mặt trời!"),))
    for version in ("0004", "head"):
        with store.engine.connect().execution_options(writes=True) as connection, connection.begin():
            config.attributes["connection"] = connection
            (command.upgrade if version == "head" else command.downgrade)(config, version)
    assert _ids(store, Filters(status="all", text="mat")) == {one.sample.id, two.sample.id}
    assert _ids(store, Filters(status="all", text="mặt")) == {two.sample.id}


def test_head_is_the_newest_migration():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    import annotations

    config = Config()
    config.set_main_option("script_location", str(Path(annotations.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


# ---------------------------------------------------------------- what an event records beside the verdict


def test_a_verdict_names_the_newest_one_that_its_annotator_could_see(store, item):
    one = item(1).sample.id
    store.queue.load([item(1)])
    first = store.decide(one, "an", "approve", revision=0, seen=store.queue.item(one).seen)
    store.decide(one, "an", "note", revision=0, reason="hay", seen=store.queue.item(one).seen)
    second = store.decide(one, "binh", "reject", revision=0, seen=store.queue.item(one).seen)
    unseen = store.decide(one, "chi", "approve", revision=0)
    assert (first.after, second.after, unseen.after) == ("", first.id, None)
    assert store.log.history(one)[0] == first


def test_a_client_may_send_a_verdict_again(store, item):
    queue = [item(1), item(2)]
    store.queue.load(queue)
    one, two = (q.sample.id for q in queue)
    seen = store.queue.item(one).seen

    def send(sample: str, verdict="approve", **more):
        return store.decide(sample, "an", verdict, revision=0, seen=seen, event_id="of-the-client", **more)

    first = send(one, seconds=4.25, batch="b")
    assert (first.id, first.seconds, first.batch) == ("of-the-client", 4.2, "b")
    assert send(one) == first
    for sample, verdict in ((two, "approve"), (one, "reject")):
        with pytest.raises(BadVerdict, match="recorded already, with another"):
            send(sample, verdict)
    assert store.log.events() == [first]


def test_a_retry_of_a_verdict_that_was_undone_does_not_count_it_again(store, item):
    one = item(1).sample.id
    store.queue.load([item(1)])
    first = store.decide(one, "an", "approve", revision=0, seen=0, event_id="e")
    store.undo("an")
    assert store.decide(one, "an", "approve", revision=0, seen=0, event_id="e") == first
    assert statuses(store) == {"pending": 1}


@pytest.mark.parametrize("odd", [{"event_id": ""}, {"event_id": "two words"}, {"seconds": -1.0}, {"seconds": 1e999}])
def test_an_impossible_id_or_time_is_refused(store, item, odd):
    store.queue.load([item(1)])
    with pytest.raises(BadVerdict, match=r"cannot be an event's id|is not a time"):
        store.decide(item(1).sample.id, "an", "approve", revision=0, **odd)
    assert store.log.events() == []


def test_a_verdict_records_the_guidelines_in_force(store, item):
    store.queue.load([item(1)])
    store.guidelines = "4f2a"
    assert store.decide(item(1).sample.id, "an", "approve", revision=0).guidelines == "4f2a"
    assert store.log.events()[0].guidelines == "4f2a"


def test_a_blind_vote_was_made_without_sight_of_the_others_even_where_the_store_has_them(store, item):
    one = item(1).sample.id
    store.queue.load([item(1)], BLIND)
    first = store.decide(one, "an", "approve", revision=0, seen=store.queue.item(one).seen)
    second = store.decide(one, "binh", "reject", revision=0, seen=store.queue.item(one).seen)
    assert (first.after, second.after) == ("", "")
    settled = store.decide(one, "chi", "reject", revision=0, seen=store.queue.item(one).seen, adjudicate=True)
    assert settled.after.split(" ") == [first.id, second.id]
    assert statuses(store) == {"rejected": 1}


def test_a_verdict_of_another_clone_is_a_conflict_until_one_in_sight_of_both_settles_it(store, item):
    one = item(1).sample.id
    store.queue.load([item(1)])
    here = store.decide(one, "an", "approve", revision=0, seen=0)
    there = replace(here, id="there", annotator="binh", verdict="reject", time="2001-01-01T00:00:00.000+00:00")
    store.log.add([there])
    assert store.queue.waiting().conflicts == 1
    store.decide(one, "chi", "reject", revision=0, seen=store.queue.item(one).seen)
    assert (store.queue.waiting().conflicts, statuses(store)) == (0, {"rejected": 1})


def test_verdicts_that_were_undone_are_not_counted(store, item):
    queue = [item(1), item(2)]
    store.queue.load(queue)
    for q in queue:
        store.decide(q.sample.id, "an", "approve", revision=0)
    store.undo("an")
    assert store.statistics.by_annotator() == {"an": 1}
    assert store.statistics.by_verdict("an") == {"approve": 1}
    assert [day.verdicts for day in store.statistics.by_day()] == [1]
