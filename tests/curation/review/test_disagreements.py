"""Disagreements: who said what without sight of whom, and who settled it."""

from __future__ import annotations

from curation.record import Message
from curation.review.decisions import Decision
from curation.review.disagreements import disagreements, waiting_line

TEXT = (Message("user", "Đi đâu?"), Message("assistant", "Lên núi!"))


def event(number, verdict, who, *, after="", panel=1, reason="", sample="s", revision=0):
    return Decision(
        id=f"e{number}",
        sample_id=sample,
        revision=revision,
        verdict=verdict,
        messages=TEXT if verdict == "rewrite" else None,
        reason=reason,
        annotator=who,
        client="streamlit",
        time=f"2026-01-01T00:00:{number:02}.000+00:00",
        after=after,
        panel=panel,
    )


def found(*events: Decision) -> list[tuple[str, str, list[str]]]:
    return [(d.kind, d.settled_by, [e.annotator for e in d.verdicts]) for d in disagreements(events)]


def test_a_conflict_names_both_sides_and_later_who_settled_it():
    both = (event(1, "approve", "an"), event(2, "reject", "bình"))
    assert found(*both) == [("conflict", "", ["an", "bình"])]
    assert found(*both, event(3, "reject", "chi", after="e1 e2")) == [("settled", "chi", ["an", "bình"])]


def test_a_dispute_of_a_panel_and_its_settlement():
    votes = (event(1, "approve", "an", panel=2), event(2, "reject", "bình", panel=2))
    assert found(*votes) == [("dispute", "", ["an", "bình"])]
    assert found(*votes, event(3, "reject", "chi", after="e1 e2")) == [("settled", "chi", ["an", "bình"])]


def test_an_old_dispute_that_does_not_say_what_was_seen_has_its_settlement_too():
    votes = (event(1, "approve", "an", panel=2, after=None), event(2, "reject", "bình", panel=2, after=None))
    assert found(*votes, event(3, "approve", "chi", after=None)) == [("settled", "chi", ["an", "bình"])]


def test_overruling_on_purpose_agreeing_and_an_incomplete_panel_are_no_disagreement():
    assert found(event(1, "approve", "an"), event(2, "reject", "bình", after="e1")) == []
    assert found(event(1, "rewrite", "an"), event(2, "rewrite", "bình")) == []
    assert found(event(1, "approve", "an", panel=3), event(2, "reject", "bình", panel=3)) == []
    assert found(event(1, "approve", "an"), event(2, "reject", "bình"), event(3, "undo", "an", reason="e1")) == []


def test_what_one_side_overruled_before_they_met_is_not_listed():
    events = (event(1, "approve", "an"), event(2, "reject", "an", after="e1"), event(3, "reject", "bình"))
    assert found(*events) == []


def test_the_line_names_only_what_waits():
    assert waiting_line(2, 0).startswith("2 in conflict: ")
    assert waiting_line(1, 1_200).startswith("1 in conflict and 1,200 in dispute: ")
