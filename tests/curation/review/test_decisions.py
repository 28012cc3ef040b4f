"""The fold over a review log, verdict by verdict, and the file format of the log."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from curation.record import Message
from curation.review.decisions import Decision, Log, State, fold, ordered, parse, read_log, trusted_approval, write_log

BETTER = (Message("user", "Đi đâu?", "Bạn"), Message("assistant", "Lên núi!"))
OTHER = (Message("user", "Đi đâu?"), Message("assistant", "Xuống sông!"))


def event(number, verdict, *, revision=0, messages=None, reason="", who="an", panel=1, client="streamlit"):
    return Decision(
        id=f"e{number}",
        sample_id="s",
        revision=revision,
        verdict=verdict,
        messages=messages,
        reason=reason,
        annotator=who,
        client=client,
        time=f"2026-01-01T00:00:{number:02}.000+00:00",
        panel=panel,
    )


def state(*events: Decision) -> State:
    return fold(events)["s"]


def test_the_last_verdict_on_the_revision_that_stands_counts():
    assert state(event(1, "approve"), event(2, "reject", reason="no_sense")).status == "rejected"
    assert state(event(1, "approve"), event(2, "reject", reason="no_sense")).reason == "no_sense"


def test_a_rewrite_is_the_next_revision_and_approved():
    now = state(event(1, "reject"), event(2, "rewrite", messages=BETTER))
    assert (now.status, now.revision, now.messages) == ("approved", 1, BETTER)


def test_a_verdict_on_a_revision_that_was_replaced_is_a_conflict_and_changes_nothing():
    now = state(event(1, "rewrite", messages=BETTER), event(2, "rewrite", messages=OTHER, who="binh"))
    assert (now.messages, now.conflicts) == (BETTER, ("e2",))


def test_an_undo_removes_the_event_that_it_names_whatever_came_between():
    now = state(event(1, "approve"), event(2, "note", reason="…"), event(3, "undo", reason="e1"))
    assert (now.status, now.notes) == ("pending", ("…",))


def test_any_person_overrules_an_approval_by_import_whenever_import_ran():
    approval = trusted_approval("s", "tác giả", "sources", "2027-01-01T00:00:00.000+00:00")
    assert state(approval).status == "approved"
    assert state(event(1, "reject"), approval).status == "rejected"


def test_skips_and_notes_leave_the_sample_as_it_is():
    now = state(event(1, "skip"), event(2, "flag", reason="nghe lạ", who="binh"))
    assert (now.status, now.skipped_by, now.notes) == ("pending", ("an",), ("nghe lạ",))


# ---------------------------------------------------------------- blind panels


def test_one_blind_verdict_of_two_decides_nothing():
    now = state(event(1, "approve", panel=2))
    assert (now.status, now.voters, now.disputed) == ("pending", ("an",), False)


def test_a_panel_that_agrees_decides():
    assert state(event(1, "reject", panel=2), event(2, "reject", panel=2, who="binh")).status == "rejected"
    rewritten = state(
        event(1, "rewrite", messages=BETTER, panel=2), event(2, "rewrite", messages=BETTER, panel=2, who="binh")
    )
    assert (rewritten.status, rewritten.revision, rewritten.messages) == ("approved", 1, BETTER)


@pytest.mark.parametrize(
    "second",
    [
        event(2, "reject", panel=2, who="binh"),
        event(2, "rewrite", messages=OTHER, panel=2, who="binh"),
    ],
    ids=["another verdict", "another rewrite"],
)
def test_a_panel_that_disagrees_leaves_the_sample_pending_and_disputed(second):
    now = state(event(1, "rewrite", messages=BETTER, panel=2), second)
    assert (now.status, now.disputed, now.revision) == ("pending", True, 0)
    settled = state(event(1, "rewrite", messages=BETTER, panel=2), second, event(3, "approve", who="chi"))
    assert (settled.status, settled.disputed) == ("approved", False)


def test_one_person_twice_is_not_a_panel_and_the_last_verdict_of_each_counts():
    assert state(event(1, "approve", panel=2), event(2, "approve", panel=2)).status == "pending"
    changed = state(event(1, "approve", panel=2), event(2, "reject", panel=2), event(3, "reject", panel=2, who="binh"))
    assert changed.status == "rejected"


def test_a_blind_verdict_after_the_adjudicators_changes_nothing():
    events = [event(1, "approve", panel=2), event(2, "reject", who="chi"), event(3, "approve", panel=2, who="binh")]
    assert (state(*events).status, state(*events).disputed) == ("rejected", False)


def test_a_dispute_outweighs_an_approval_by_import():
    approval = trusted_approval("s", "tác giả", "sources", "2026-01-01T00:00:00.000+00:00")
    now = state(approval, event(1, "approve", panel=2), event(2, "reject", panel=2, who="binh"))
    assert (now.status, now.disputed) == ("pending", True)


# ---------------------------------------------------------------- the file


def test_a_line_names_the_panel_only_where_there_is_one(tmp_path):
    path = tmp_path / "log.jsonl"
    write_log(path, Log((event(1, "rewrite", messages=BETTER), event(2, "approve", panel=2))))
    first, second = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    assert first == {
        "id": "e1",
        "sample_id": "s",
        "revision": 0,
        "verdict": "rewrite",
        "messages": [
            {"role": "user", "content": "Đi đâu?", "name": "Bạn"},
            {"role": "assistant", "content": "Lên núi!"},
        ],
        "reason": "",
        "annotator": "an",
        "client": "streamlit",
        "time": "2026-01-01T00:00:01.000+00:00",
    }
    assert second["panel"] == 2
    assert [d.panel for d in read_log(path).decisions] == [1, 2]


def test_a_line_names_what_came_later_only_where_it_says_something(tmp_path):
    path = tmp_path / "log.jsonl"
    old = event(1, "approve")
    new = replace(event(2, "approve"), after="", batch="b", guidelines="4f2a", seconds=2.5)
    write_log(path, Log((old, new)))
    first, second = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    assert not {"after", "batch", "guidelines", "seconds"} & set(first)
    assert (second["after"], second["batch"], second["guidelines"], second["seconds"]) == ("", "b", "4f2a", 2.5)
    assert read_log(path).decisions == (old, new)
    assert write_log(path, read_log(path)) is False


def test_of_two_events_with_one_id_the_earlier_stands_in_any_order():
    early = trusted_approval("s", "a", "x", "2026-01-01T00:00:00.000+00:00")
    late = trusted_approval("s", "b", "x", "2026-01-02T00:00:00.000+00:00")
    assert ordered([late, early]) == ordered([early, late, late]) == [early]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "{}",
        '{"id": "x"}',
        "<<<<<<< HEAD",
        '{"id":"x","sample_id":"s","revision":0,"verdict":"maybe","messages":null,"reason":"","annotator":"a",'
        '"client":"cli","time":"t"}',
        '{"id":"x","sample_id":"s","revision":0,"verdict":"rewrite","messages":null,"reason":"","annotator":"a",'
        '"client":"cli","time":"t"}',
        '{"id":"x","sample_id":"s","revision":0,"verdict":"approve","messages":null,"reason":"","annotator":"a",'
        '"client":"cli","time":"t","seconds":-1}',
    ],
)
def test_a_line_that_is_not_an_event_is_refused(line):
    with pytest.raises(ValueError):
        parse(line)
