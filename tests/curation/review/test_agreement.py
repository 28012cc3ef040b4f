"""The figures of agreement, compared with the examples that their authors and textbooks published."""

from __future__ import annotations

import pytest

from curation.record import Message
from curation.review.agreement import agreement, cohen, fleiss, krippendorff, observed, votes
from curation.review.decisions import Decision


def table(**raters: str) -> list[dict[str, str]]:
    """Return units from one string per rater: one letter per unit, a dot where the rater did not judge."""
    return [
        {name: word[i] for name, word in raters.items() if word[i] != "."}
        for i in range(len(next(iter(raters.values()))))
    ]


def test_cohens_kappa_of_the_grant_proposals():
    """50 proposals, both yes 20, only A 5, only B 10, both no 15: kappa is 0.4 (the example on Wikipedia)."""
    units = table(a="y" * 25 + "n" * 25, b="y" * 20 + "n" * 5 + "y" * 10 + "n" * 15)
    assert cohen(units) == pytest.approx(0.4)
    assert observed(units) == pytest.approx(0.7)


def test_fleiss_kappa_of_the_fourteen_raters():
    """10 subjects, 14 raters, 5 categories: kappa is 0.210 (Fleiss 1971, the worked example)."""
    counts = [
        (0, 0, 0, 0, 14),
        (0, 2, 6, 4, 2),
        (0, 0, 3, 5, 6),
        (0, 3, 9, 2, 0),
        (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0),
        (3, 2, 6, 3, 0),
        (2, 5, 3, 2, 2),
        (6, 5, 2, 1, 0),
        (0, 2, 2, 3, 7),
    ]
    units = []
    for row in counts:
        labels = [str(label) for label, n in enumerate(row) for _ in range(n)]
        units.append({f"rater {i}": label for i, label in enumerate(labels)})
    assert fleiss(units) == pytest.approx(0.210, abs=5e-4)


def test_krippendorffs_alpha_of_the_examples_in_the_paper():
    """Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability": its examples A, B and C (values missing)."""
    assert krippendorff(table(jon="0100000010", meg="1110010000")) == pytest.approx(0.095, abs=5e-4)
    assert krippendorff(table(ben="aabbdcccedda", gerry="babbbccceddd")) == pytest.approx(0.692, abs=5e-4)
    four = table(a="123321412...", b="1233224125.3", c=".3332342251.", d="12332441251.")
    assert krippendorff(four) == pytest.approx(0.743, abs=5e-4)


def test_an_undefined_figure_is_none():
    same = table(a="yyyy", b="yyyy")
    assert (cohen(same), fleiss(same), krippendorff(same), observed(same)) == (None, None, None, 1.0)
    assert agreement([]).samples == 0


def event(number: int, sample: str, who: str, verdict: str, panel: int = 2, reason: str = "") -> Decision:
    messages = (Message("assistant", "Ta!"),) if verdict == "rewrite" else None
    return Decision(
        id=f"{number:032x}",
        sample_id=sample,
        revision=0,
        verdict=verdict,
        messages=messages,
        reason=reason,
        annotator=who,
        client="streamlit",
        time=f"2026-01-01T00:00:{number:02}",
        panel=panel,
    )


def test_only_the_last_standing_blind_verdict_of_each_person_counts():
    events = [
        event(1, "s1", "an", "reject"),
        event(2, "s1", "an", "approve"),
        event(3, "s1", "bình", "approve"),
        event(4, "s2", "an", "approve"),
        event(5, "s2", "bình", "reject"),
        event(6, "s2", "bình", "undo", reason=f"{5:032x}"),
        event(7, "s3", "an", "approve", panel=1),
        event(8, "s3", "bình", "approve", panel=1),
    ]
    assert votes(events) == [{"an": "approve", "bình": "approve"}]
