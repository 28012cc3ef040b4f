"""Verdicts on pairs, "the same" or "not the same": kept in the store as records, in git beside the review log."""

from __future__ import annotations

from annotations.store.events_table import new_id
from annotations.store.review_store import ReviewStore
from annotations.team.books import books_of
from curation.meaning.verdicts import Answer, Group, SameVerdict, SameWithdrawal, Side, standing


def verdicts(store: ReviewStore) -> list[SameVerdict]:
    """Return the verdicts that count, oldest first."""
    return standing(books_of(store).read("same_meaning"))


def judge(
    store: ReviewStore,
    annotator: str,
    sides: tuple[Side, Side],
    answer: Answer,
    *,
    group: Group,
    cosine: float,
    model: str,
    verdict_id: str | None = None,
) -> SameVerdict:
    """Record what an annotator says of two texts. With a ``verdict_id`` that is there already, nothing is added."""
    books = books_of(store)
    said = SameVerdict(
        id=verdict_id or new_id(),
        time=books.now(),
        group=group,
        a=sides[0],
        b=sides[1],
        answer=answer,
        cosine=cosine,
        model=model,
        annotator=annotator,
    )
    books.add("same_meaning", [said.to_record()])
    return said


def withdraw(store: ReviewStore, annotator: str, verdict_id: str | None = None) -> SameVerdict | None:
    """Withdraw one of the annotator's verdicts, or the newest that counts; None where there is none to withdraw."""
    mine = [v for v in verdicts(store) if v.annotator == annotator and verdict_id in (None, v.id)]
    if not mine:
        return None
    books = books_of(store)
    gone = SameWithdrawal(id=new_id(), time=books.now(), verdict=mine[-1].id, annotator=annotator)
    books.add("same_meaning", [gone.to_record()])
    return mine[-1]
