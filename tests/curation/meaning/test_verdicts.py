"""What annotators say of two texts: the newest counts, a withdrawn one does not, and no line is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from curation.meaning.verdicts import Answer, SameVerdict, SameWithdrawal, Side, judged_pairs, pair_of, standing
from curation.review.records import read_records, write_records


def verdict(number: int, answer: Answer, *, who: str = "An", a: str = "một", b: str = "hai") -> SameVerdict:
    return SameVerdict(
        id=f"{number:032x}",
        time=f"2026-11-29T10:00:{number:02d}+00:00",
        group="replies",
        a=Side(text=a, sample="s1"),
        b=Side(text=b, sample="s2"),
        answer=answer,
        cosine=0.97,
        model="e5",
        annotator=who,
    )


def records(*found: SameVerdict | SameWithdrawal) -> list[dict[str, Any]]:
    return [one.to_record() for one in found]


def withdrawal(number: int, of: SameVerdict, who: str = "An") -> SameWithdrawal:
    return SameWithdrawal(
        id=f"{number:032x}", time=f"2026-11-29T10:00:{number:02d}+00:00", verdict=of.id, annotator=who
    )


def test_the_newest_verdict_of_an_annotator_on_a_pair_counts_whichever_text_comes_first() -> None:
    found = standing(
        records(verdict(1, "same"), verdict(2, "different", a="hai", b="một"), verdict(3, "same", who="Bình"))
    )
    assert [(v.annotator, v.answer) for v in found] == [("An", "different"), ("Bình", "same")]
    assert pair_of("a", "b") == pair_of("b", "a") != pair_of("ab", "")


def test_a_withdrawn_verdict_gives_the_one_before_its_place_back() -> None:
    old, new = verdict(1, "same"), verdict(2, "different")
    assert standing(records(old, new, withdrawal(3, new))) == [old]
    assert standing(records(old, withdrawal(2, old))) == []
    assert standing(records(old, withdrawal(2, old, who="Bình"))) == [old]  # only one's own


def test_a_pair_has_the_answer_of_most_annotators_or_none() -> None:
    even = [verdict(1, "same"), verdict(2, "different", who="Bình")]
    assert judged_pairs(even) == []
    (pair,) = judged_pairs([*even, verdict(3, "different", who="Chi")])
    assert (pair.a, pair.b, pair.same) == ("một", "hai", False)


def test_lines_of_another_version_stay_in_the_file_and_are_passed_over(tmp_path: Path) -> None:
    later = {"id": "x", "time": "2027-01-01T00:00:00+00:00", "type": "same_meaning", "answer": "partly", "new": 1}
    kept = verdict(1, "same").to_record() | {"confidence": 0.9}
    path = tmp_path / "same_meaning.jsonl"
    path.write_text(
        "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in (later, kept)) + "broken\n", encoding="utf-8"
    )
    content = read_records(path)
    assert [v.answer for v in standing(content.records)] == ["same"]
    write_records(path, content)
    again = path.read_text(encoding="utf-8").splitlines()
    assert sorted(again) == sorted([json.dumps(kept, ensure_ascii=False), json.dumps(later), "broken"])
