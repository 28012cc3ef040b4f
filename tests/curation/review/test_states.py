"""Logs of several clones, merged in any order: one state everywhere, and no disagreement is settled silently.

The clones here keep their events in lists and call the log's own functions. What each event's annotator really saw is
noted beside the log, so that the expected conflicts do not follow from ``after``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.record import Message
from curation.review.decisions import DECISIVE, Decision, State, fold, in_sight, trusted_approval

TEXTS = [(Message("user", "Đi đâu?"), Message("assistant", text)) for text in ("Lên núi!", "Xuống sông!")]
IMPORT = trusted_approval("s", "tác giả", "sources", "2026-01-01T00:00:30.000+00:00")


@dataclass
class Clone:
    """One clone's log of sample ``s``, and its clock."""

    names: tuple[str, ...]
    skew: int
    events: list[Decision] = field(default_factory=list)

    def state(self) -> State:
        return fold(self.events).get("s", State())


@dataclass
class World:
    """Several clones, and what the annotator of each event saw: the ids of the events in their clone."""

    clones: list[Clone]
    saw: dict[str, frozenset[str]] = field(default_factory=dict)
    outcome: dict[str, tuple[object, ...]] = field(default_factory=dict)  # what each verdict came to
    made: list[Decision] = field(default_factory=list)

    def act(self, clone: Clone, who: str, verdict: str, text: int) -> None:
        before = clone.state()
        mine = [e for e in clone.events if e.annotator == who and e.verdict in DECISIVE]
        gone = {e.reason for e in clone.events if e.verdict == "undo"}
        target = next((e for e in reversed(mine) if e.id not in gone), None)
        if verdict == "undo" and target is None:
            return
        number = len(self.made) + 1
        event = Decision(
            id=f"{number:04x}",
            sample_id="s",
            revision=before.revision,
            verdict=verdict,  # type: ignore[arg-type]
            messages=TEXTS[text] if verdict == "rewrite" else None,
            reason=target.id if verdict == "undo" and target else "",
            annotator=who,
            client="streamlit",
            time=f"2026-01-01T00:{30 + clone.skew + number // 60:02}:{number % 60:02}.000+00:00",
            after=in_sight(clone.events),
        )
        self.saw[event.id] = frozenset(e.id for e in clone.events)
        clone.events.append(event)
        self.made.append(event)
        if verdict != "undo":
            now = clone.state()
            # A verdict made in sight of everything in its clone takes effect there, and settles what there was.
            assert (now.status, now.conflicts) == ("rejected" if verdict == "reject" else "approved", ())
            assert now.reviewers[-1:] == (who,) or who in now.reviewers
            self.outcome[event.id] = ("rejected",) if verdict == "reject" else ("approved", now.messages)

    def merge(self, one: Clone, other: Clone) -> None:
        known = {e.id for e in one.events}
        one.events += [e for e in other.events if e.id not in known]

    def unseen_disagreements(self) -> list[tuple[str, str]]:
        """Return the pairs of standing verdicts that differ, neither of which was made in sight of the other."""
        gone = {e.reason for e in self.made if e.verdict == "undo"}
        live = [e.id for e in self.made if e.verdict != "undo" and e.id not in gone]
        ends = [e for e in live if not any(e in self.saw[later] for later in live)]
        return [(a, b) for a, b in combinations(ends, 2) if self.outcome[a] != self.outcome[b]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    count = draw(st.sampled_from([2, 2, 3]))
    shared = draw(st.booleans())
    clones = [
        Clone(("an",) if shared else (f"a{n}", f"b{n}"), skew=draw(st.integers(-20, 20)), events=[])
        for n in range(count)
    ]
    if draw(st.booleans()):
        for clone in clones:
            # Each clone imports by itself, at its own time: the event has one id everywhere.
            clone.events.append(replace(IMPORT, time=f"2026-01-01T00:{30 + clone.skew:02}:00.000+00:00"))
    world = World(clones)
    for _ in range(draw(st.integers(1, 12))):
        clone = draw(st.sampled_from(clones))
        verdict = draw(st.sampled_from(["approve", "reject", "rewrite", "undo", "merge"]))
        if verdict == "merge":
            world.merge(clone, draw(st.sampled_from(clones)))
        else:
            world.act(clone, draw(st.sampled_from(clone.names)), verdict, draw(st.integers(0, 1)))
    return world


def on_a_revision_that_is_gone(world: World, state: State) -> bool:
    """Return whether a rewrite was undone in one clone while another had a verdict on it."""
    gone = {e.reason for e in world.made if e.verdict == "undo"}
    live = [e for e in world.made if e.verdict != "undo" and e.id not in gone]
    rewrites = {e.id for e in world.made if e.verdict == "rewrite" and e.id in gone}
    return any(e.revision > 0 and rewrites & world.saw[e.id] for e in live)


@settings(max_examples=400, deadline=None)
@given(world=worlds())
def test_clones_agree_and_no_disagreement_is_settled_silently(world):
    for one, other in permutations(world.clones, 2):
        world.merge(one, other)
    for one, other in permutations(world.clones, 2):
        world.merge(one, other)
    first, *others = (clone.state() for clone in world.clones)
    assert all(state == first for state in others)
    assert fold(reversed(world.clones[0].events)).get("s", State()) == first
    disagreements = world.unseen_disagreements()
    gone = on_a_revision_that_is_gone(world, first)
    if disagreements:
        assert first.conflicts
    elif not gone:
        assert first.conflicts == ()
    by_id = {e.id for e in world.made}
    assert set(first.conflicts) <= by_id  # an approval by import never conflicts


@settings(max_examples=100, deadline=None)
@given(world=worlds(), skews=st.lists(st.integers(-25, 25), min_size=3, max_size=3))
def test_a_verdict_in_sight_of_a_merge_settles_it_whatever_the_clocks_say(world, skews):
    for one, other in permutations(world.clones, 2):
        world.merge(one, other)
    for clone, skew in zip(world.clones, skews, strict=False):
        clone.skew = skew
    world.act(world.clones[0], "chi", "reject", 0)  # checks itself that it stands and that nothing conflicts
    world.act(world.clones[0], "dung", "rewrite", 1)
    assert world.clones[0].state().messages == TEXTS[1]


# ---------------------------------------------------------------- examples


def event(number, verdict, *, after="", who="an", revision=0, text=0, reason="", panel=1, client="streamlit", at=None):
    return Decision(
        id=f"e{number}",
        sample_id="s",
        revision=revision,
        verdict=verdict,
        messages=TEXTS[text] if verdict == "rewrite" else None,
        reason=reason,
        annotator=who,
        client=client,
        time=f"2026-01-01T00:00:{at or number:02}.000+00:00",
        after=after,
        panel=panel,
    )


def state(*events: Decision) -> State:
    return fold(events)["s"]


@pytest.mark.parametrize("first", ["approve", "reject", "rewrite"])
@pytest.mark.parametrize("second", ["approve", "reject", "rewrite"])
def test_two_clones_each_judging_alone(first, second):
    """The ten samples of two annotators: a conflict unless both came to the same."""
    now = state(event(1, first), event(2, second, who="binh", text=first == second == "approve"))
    assert now.conflicts == (() if first == second else ("e2",))
    assert now == state(event(2, second, who="binh", text=first == second == "approve"), event(1, first))


def test_rewrites_to_one_text_are_no_conflict_however_it_was_written():
    decomposed = replace(
        event(2, "rewrite", who="binh"), messages=(TEXTS[0][0], Message("assistant", "Le\u0302n nu\u0301i!"))
    )
    now = state(event(1, "rewrite"), decomposed)
    assert (now.conflicts, now.revision, now.messages) == ((), 1, TEXTS[0])
    assert state(event(1, "rewrite"), event(2, "rewrite", who="binh", text=1)).conflicts == ("e2",)


def test_old_identical_rewrites_are_no_conflict_either():
    now = state(event(1, "rewrite", after=None), event(2, "rewrite", after=None, who="binh"))
    assert (now.conflicts, now.revision) == ((), 1)


def test_a_verdict_made_in_sight_of_another_overrules_it_whatever_the_clocks_say():
    now = state(event(1, "approve", at=50), event(2, "reject", who="binh", after="e1", at=10))
    assert (now.status, now.conflicts) == ("rejected", ())


def test_a_verdict_on_anothers_rewrite_that_was_undone_unseen_waits_for_adjudication():
    events = [
        event(1, "rewrite"),
        event(2, "approve", who="binh", revision=1, after="e1"),
        event(3, "undo", reason="e1", after="e1"),
    ]
    assert (state(*events).status, state(*events).conflicts) == ("pending", ("e2",))
    settled = state(*events, event(4, "approve", who="chi", after="e2 e3"))
    assert (settled.status, settled.conflicts) == ("approved", ())


def test_approving_one_rewrite_does_not_approve_another_clones_of_the_same_number():
    now = state(
        event(1, "rewrite"),
        event(2, "rewrite", who="binh", text=1),
        event(3, "approve", who="chi", revision=1, after="e2"),
    )
    assert (now.messages, now.conflicts) == (TEXTS[0], ("e3",))


def test_an_adjudicator_in_sight_of_both_settles_and_one_in_sight_of_one_does_not():
    both = [event(1, "approve"), event(2, "reject", who="binh")]
    assert state(*both, event(3, "reject", who="chi", after="e1 e2")).conflicts == ()
    assert state(*both, event(3, "approve", who="chi", after="e1")).conflicts == ("e2",)


def test_one_person_in_two_clones_can_disagree_with_themselves():
    assert state(event(1, "approve"), event(2, "reject")).conflicts == ("e2",)


def test_an_event_that_does_not_say_what_it_saw_never_settles_one_that_does():
    assert state(event(1, "approve"), event(2, "reject", who="binh", after=None)).conflicts == ("e2",)
    assert state(event(1, "approve", after=None), event(2, "reject", who="binh", after=None)).conflicts == ()
    assert (
        state(
            event(1, "approve", after=None), event(2, "reject", who="an", after=None, client="label-studio")
        ).conflicts
        == ()
    )


def test_votes_of_a_panel_from_two_clones_are_a_dispute_and_a_verdict_unseen_by_them_a_conflict():
    votes = [event(1, "approve", panel=2), event(2, "reject", panel=2, who="binh")]
    assert state(*votes).disputed
    assert state(*votes, event(3, "reject", who="chi", after="e1")).conflicts == ()
    assert state(*votes, event(3, "approve", who="chi", after="e1")).conflicts == ("e2",)
    settled = state(*votes, event(3, "approve", who="chi", after="e1 e2"))
    assert (settled.status, settled.disputed, settled.conflicts) == ("approved", False, ())


def test_two_panels_that_decided_differently_are_a_dispute():
    votes = [
        event(n, v, panel=2, who=w)
        for n, v, w in ((1, "approve", "an"), (2, "approve", "binh"), (3, "reject", "chi"), (4, "reject", "dung"))
    ]
    assert all(state(*order).disputed for order in permutations(votes))


def test_a_circle_of_causes_as_in_a_damaged_log_still_gives_a_state():
    assert state(event(1, "approve", after="e2"), event(2, "reject", after="e1"), event(3, "skip", after="e3"))
