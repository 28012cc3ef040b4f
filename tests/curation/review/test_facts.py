"""The review figures that a manifest and a card carry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from curation.contracts.manifest import Agreement
from curation.review.agreement import agreement
from curation.review.decisions import Client, Decision, Log, Verdict
from curation.review.facts import blind_agreement, position, review


def event(
    sample_id: str,
    verdict: Verdict,
    annotator: str,
    *,
    name: str = "",
    reason: str = "",
    client: Client = "streamlit",
    panel: int = 1,
) -> Decision:
    name = name or f"{sample_id}{verdict}{annotator}"
    return Decision(
        id=name,
        sample_id=sample_id,
        revision=0,
        verdict=verdict,
        messages=None,
        reason=reason,
        annotator=annotator,
        client=client,
        time=f"2026-01-01T00:00:{len(name):02}Z",
        panel=panel,
    )


def judged(panel: int) -> list[Decision]:
    """Return eight verdicts, two on each of four samples; three pairs are equal."""
    verdicts: list[tuple[str, Verdict, Verdict]] = [
        ("s1", "approve", "approve"),
        ("s2", "approve", "approve"),
        ("s3", "reject", "reject"),
        ("s4", "approve", "reject"),
    ]
    return [
        event(sample, verdict, who, panel=panel)
        for sample, *both in verdicts
        for who, verdict in zip(("an", "bình"), both, strict=True)
    ]


def test_the_log_position_does_not_depend_on_when_import_ran() -> None:
    first = event("s1", "approve", "corpus", client="import")
    assert position(Log((first,))) == position(Log((replace(first, time="2027-01-01"),)))
    assert position(Log((first,))) != position(Log((first, event("s2", "reject", "an"))))


def test_review_counts_the_standing_verdicts_and_names_no_one() -> None:
    log = [
        event("s1", "approve", "corpus", client="import"),
        event("s2", "approve", "corpus", client="import"),
        event("s2", "reject", "an"),
        event("s3", "approve", "an"),
        event("s3", "reject", "bình", name="regretted"),
        event("s3", "undo", "bình", reason="regretted", name="the-undo-itself"),
        event("elsewhere", "reject", "an"),
    ]
    assert review(log, {"s1", "s2", "s3"}).to_json() == {
        "seen_by_a_person": 2,
        "only_vouched_for_by_the_author": 1,
        "annotators": 1,
        "verdicts": {"approve": 1, "reject": 1},
        "agreement": None,
    }


def test_card_and_desk_measure_no_agreement_of_annotators_who_saw_each_others_verdicts() -> None:
    events = judged(panel=1)
    assert review(events, {"s1", "s2", "s3", "s4"}).agreement is None
    assert agreement(events).samples == 0


def test_card_and_desk_give_the_same_agreement_of_blind_verdicts() -> None:
    events = judged(panel=2)
    card = review(events, {"s1", "s2", "s3", "s4"}).agreement
    assert card == Agreement(samples=4, share=0.75, alpha=0.533, blind=True)
    desk = agreement(events)
    assert (desk.samples, desk.observed) == (card.samples, card.share)
    assert desk.krippendorff == pytest.approx(card.alpha, abs=5e-4)


def test_alpha_is_none_where_all_blind_verdicts_are_the_same() -> None:
    same = [event("s1", "approve", "an", panel=2), event("s1", "approve", "bình", panel=2)]
    assert blind_agreement(same) == Agreement(samples=1, share=1.0, alpha=None, blind=True)
