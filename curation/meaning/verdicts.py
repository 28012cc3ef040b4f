"""``datasets/same_meaning.jsonl``: what annotators said of two texts, "the same" or "not the same".

A line holds both texts, so that it can be read, and compared by another model, without the queue that they came from.
A verdict decides nothing about a sample. Pure; ``curation.review.records`` reads and writes the file.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from curation.review.records import Record, known, newest_on_each_pair

Answer: TypeAlias = Literal["same", "different"]
# What is compared with what: quotes and persona lines by their replies, dialogues and questions by all their turns.
Group: TypeAlias = Literal["replies", "dialogues"]
GROUPS: tuple[Group, ...] = ("replies", "dialogues")


class Side(BaseModel):
    """One of two texts, as the model read it, and the sample that it is from."""

    model_config = ConfigDict(frozen=True)

    text: str
    sample: str = ""


class SameVerdict(BaseModel):
    """What one annotator said of two texts. ``cosine`` is what the page showed, by the encoder ``model``."""

    model_config = ConfigDict(frozen=True)

    type: Literal["same_meaning"] = "same_meaning"
    id: str
    time: str
    group: Group
    a: Side
    b: Side
    answer: Answer
    cosine: float
    model: str
    annotator: str

    @property
    def pair(self) -> str:
        """The name of the two texts, in either order."""
        return pair_of(self.a.text, self.b.text)

    def to_record(self) -> Record:
        """Return the verdict as a line of the file."""
        return self.model_dump(mode="json")


class SameWithdrawal(BaseModel):
    """The verdict with the id ``verdict`` does not count any more."""

    model_config = ConfigDict(frozen=True)

    type: Literal["withdrawal"] = "withdrawal"
    id: str
    time: str
    verdict: str
    annotator: str

    def to_record(self) -> Record:
        """Return the withdrawal as a line of the file."""
        return self.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """Two texts on which annotators have a majority."""

    a: str
    b: str
    same: bool
    group: Group = "replies"


def pair_of(one: str, other: str) -> str:
    """Return 32 hexadecimal digits that name two texts, in either order, on every machine."""
    body = "\0".join(sorted(hashlib.sha256(t.encode("utf-8", "surrogatepass")).hexdigest() for t in (one, other)))
    return hashlib.sha256(body.encode()).hexdigest()[:32]


def standing(records: Iterable[Record]) -> list[SameVerdict]:
    """Return the verdicts that count, oldest first: the newest of each annotator on each pair, unless withdrawn.

    Lines of a later version that this one does not know are passed over; they stay in the file.
    """
    lines = known(records, _LINES)
    withdrawn = {(line.verdict, line.annotator) for line in lines if isinstance(line, SameWithdrawal)}
    return newest_on_each_pair((line for line in lines if isinstance(line, SameVerdict)), withdrawn)


def judged_pairs(verdicts: Iterable[SameVerdict]) -> list[JudgedPair]:
    """Return each pair once, with the answer of most annotators. A pair on which they are even is left out."""
    by_pair: dict[str, list[SameVerdict]] = {}
    for verdict in verdicts:
        by_pair.setdefault(verdict.pair, []).append(verdict)
    found = []
    for given in by_pair.values():
        counts = Counter(verdict.answer for verdict in given)
        if counts["same"] != counts["different"]:
            first, same = given[0], counts["same"] > counts["different"]
            found.append(JudgedPair(first.a.text, first.b.text, same, first.group))
    return found


_LINES: TypeAdapter[Any] = TypeAdapter(Annotated[SameVerdict | SameWithdrawal, Field(discriminator="type")])
