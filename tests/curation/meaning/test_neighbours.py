"""Pairs by meaning: which text of a sample is compared, every pair once, and what the exact join says of it."""

from __future__ import annotations

import numpy as np
import pytest
from rapidfuzz import fuzz

from curation.dedup.wording import normal
from curation.errors import UsageError
from curation.meaning.encoder import E5
from curation.meaning.neighbours import likeness, meaning_text, near_pairs
from curation.meaning.vectors import Vectors
from curation.meaning.verdicts import Group
from curation.record import Kind, Message, Sample, Source, sample_id
from tests.curation.meaning.conftest import OTHER, SAME
from tests.curation.meaning.test_vectors import Counting

TEMPLATE = "Miêu tả bản thân như Inosuke."


def both(cosine: float) -> dict[Group, float]:
    return {"replies": cosine, "dialogues": cosine}


def sample(kind: Kind, *turns: str, place: str = "row 1") -> Sample:
    roles = ("user", "assistant")
    messages = tuple(Message(roles[at % 2], text) for at, text in enumerate(turns))  # type: ignore[arg-type]
    source = Source(path="a.json", sha256="0" * 64, locator=place, importer="rows")
    return Sample(id=sample_id(kind, messages), kind=kind, messages=messages, language="vi", topic=None, source=source)


def test_the_text_that_is_read_leaves_out_what_dedup_leaves_out() -> None:
    templates = {normal(TEMPLATE)}
    assert meaning_text(sample("quote", "Nói đi!", "TA ĐÂY!"), templates) == "TA ĐÂY!"
    assert meaning_text(sample("persona", TEMPLATE, "Ta mạnh!"), templates) == "Ta mạnh!"
    assert meaning_text(sample("conversation", "Đói không?", "Đói!"), templates) == "Đói không?\nĐói!"
    assert meaning_text(sample("generic_qa", f" {TEMPLATE.upper()}", "Ta mạnh!"), templates) == "Ta mạnh!"


def test_quotes_are_not_compared_with_dialogues(encoder: E5) -> None:
    vectors = Vectors(encoder, None, print)
    quotes = [sample("quote", "Nói đi!", text) for text in SAME]
    talk = [sample("conversation", "Nói đi!", text) for text in SAME]
    found = [(pair.i, pair.j) for pair in near_pairs([*quotes, *talk], vectors, both(0.95), set())]
    assert sorted(found) == [(0, 1), (2, 3)]


def test_a_pair_has_its_cosine_and_the_exact_joins_measure(encoder: E5) -> None:
    samples = [sample("quote", "Nói đi!", text) for text in (*SAME, OTHER, SAME[0] + "!")]
    found = near_pairs(samples, Vectors(encoder, None, print), both(0.95), set())
    assert [(p.i, p.j) for p in found] == [(0, 3), *sorted({(p.i, p.j) for p in found} - {(0, 3)})]
    by_pair = {(p.i, p.j): p for p in found}
    assert by_pair[0, 3].ratio == 100  # repeated marks do not count
    assert by_pair[0, 1].ratio == pytest.approx(fuzz.ratio(normal(SAME[0]), normal(SAME[1])))
    assert by_pair[0, 1].ratio < 90
    assert not any(2 in pair for pair in by_pair)


def test_every_pair_is_found_once_as_by_comparing_each_with_each() -> None:
    texts = [f"câu số {n}" for n in range(2_100)]  # more than two blocks
    samples = [sample("quote", "?", text, place=f"row {n}") for n, text in enumerate(texts)]
    found = near_pairs(samples, Vectors(Counting(), None, print), both(0.16), set())
    matrix = Counting().passages(texts).astype(np.float64)
    score = np.round(matrix @ matrix.T, 5)
    i, j = np.nonzero(np.triu(score >= 0.16, 1))
    assert len(i) > 100
    assert sorted((p.i, p.j) for p in found) == sorted(zip(i.tolist(), j.tolist(), strict=True))
    assert [p.cosine for p in found] == sorted((p.cosine for p in found), reverse=True)


def test_the_same_samples_give_the_same_pairs(encoder: E5) -> None:
    samples = [sample("quote", "Nói đi!", text) for text in (*SAME, OTHER)]
    runs = [near_pairs(samples, Vectors(encoder, None, print), both(0.5), set()) for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(runs[0]) == 3


@pytest.mark.parametrize("cosine", [0.0, -0.5, 1.5, float("nan")])
def test_a_cosine_out_of_range_is_an_error_message(cosine: float) -> None:
    with pytest.raises(UsageError, match="expected more than 0 and at most 1"):
        near_pairs([], Vectors(Counting(), None, print), both(cosine), set())


def test_no_samples_are_no_pairs() -> None:
    assert near_pairs([], Vectors(Counting(), None, print), both(0.9), set()) == []


def test_too_many_pairs_are_an_error_message() -> None:
    samples = [sample("quote", "?", f"câu {n}") for n in range(1_500)]
    with pytest.raises(UsageError, match="1,000,000 pairs lie above cosine 1e-05"):
        near_pairs([*samples, *samples], Vectors(Counting(), None, print), both(0.00001), set())


def test_dialogues_of_different_length_are_not_near_by_letters() -> None:
    assert likeness(("a", "b"), ("a",)) == 0
    assert likeness((), ()) == 100
    assert likeness(("một hai", "ba"), ("một hai", "bốn")) == fuzz.ratio("ba", "bốn")
