"""Flagged samples and the precision of flags by the verdicts of people."""

from __future__ import annotations

import pytest

from curation.record import Flag, Message, Sample, Source, sample_id
from curation.review.events import Client, Decision, Verdict, trusted_approval
from curation.review.facts import WHOLE_FILTER
from curation.review.flagged import CodeFigures, codes_of, figures, with_findings

TIME = "2026-11-29T10:00:00.000+00:00"


def sample(number: int, *codes: str) -> Sample:
    messages = (Message("user", f"Câu {number}?"), Message("assistant", f"Ta đây {number}!"))
    return Sample(
        id=sample_id("conversation", messages),
        kind="conversation",
        messages=messages,
        language="vi",
        topic=None,
        source=Source(path="a.jsonl", sha256="0" * 64, locator=f"row {number}", importer="rows"),
        flags=tuple(Flag(code, "x") for code in codes),
    )


def verdict(one: Sample, verdict: Verdict, reason: str = "", client: Client = "streamlit") -> Decision:
    return Decision(
        id=f"{one.id}{verdict}"[:32],
        sample_id=one.id,
        revision=0,
        verdict=verdict,
        messages=(*one.messages[:1], Message("assistant", "Ta!")) if verdict == "rewrite" else None,
        reason=reason,
        annotator="lan",
        client=client,
        time=TIME,
    )


def test_only_findings_are_listed_and_each_code_once() -> None:
    rows = [sample(1, "link", "link", "alpaca_layout"), sample(2, "alpaca_layout"), sample(3, "loop")]
    assert [codes_of(s) for s in rows] == [["link"], [], ["loop"]]
    assert with_findings(rows) == [rows[0], rows[2]]
    assert with_findings(rows, "loop") == [rows[2]]


@pytest.mark.parametrize(
    ("name", "right", "wrong"), [("reject", 1, 0), ("rewrite", 1, 0), ("approve", 0, 1), ("skip", 0, 0), ("note", 0, 0)]
)
def test_a_persons_verdict_says_whether_a_flag_was_right(name: Verdict, right: int, wrong: int) -> None:
    one = sample(1, "link")
    assert figures([one], [verdict(one, name)]) == [CodeFigures(code="link", flagged=1, right=right, wrong=wrong)]


def test_trust_and_verdicts_on_a_whole_filter_say_nothing() -> None:
    one, other = sample(1, "link"), sample(2, "link")
    events = [trusted_approval(one.id, "author", "mine", TIME), verdict(other, "approve", f"{WHOLE_FILTER}: link")]
    assert figures([one, other], events) == [CodeFigures(code="link", flagged=2, right=0, wrong=0)]
    assert figures([one], [*events, verdict(one, "reject")])[0].right == 1


@pytest.mark.parametrize(
    ("code", "right", "wrong", "offered"),
    [
        ("link", 1, 9, True),
        ("link", 2, 8, False),  # one in five
        ("link", 0, 9, False),  # too few verdicts
        ("label_in_reply", 0, 20, False),  # the export rests on it
    ],
)
def test_a_flag_that_is_seldom_right_offers_to_be_switched_off(
    code: str, right: int, wrong: int, offered: bool
) -> None:
    assert CodeFigures(code=code, flagged=40, right=right, wrong=wrong).offers_to_be_off is offered
