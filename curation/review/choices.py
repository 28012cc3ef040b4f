"""Pairwise choices, ``datasets/choices.jsonl``: which of two replies to one prompt sounds more like the character.

A vote holds both replies, so that it can be read without the queue or the run that they came from. Pure. The shape of
the file and of the pairs for preference training is described in docs/team.md.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from curation.record import Message, messages_to_json
from curation.review.records import Record, known, newest_on_each_pair

Side: TypeAlias = Literal["a", "b"]
Origin: TypeAlias = Literal["approved", "imported", "rejected", "base", "adapter"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two replies to one prompt, and where each is from. ``a`` and ``b`` are in the order of their texts."""

    prompt: tuple[Message, ...]
    a: str
    b: str
    a_from: Origin
    b_from: Origin

    @property
    def id(self) -> str:
        """32 hexadecimal digits that name these texts on every machine."""
        body = json.dumps([messages_to_json(self.prompt), self.a, self.b], ensure_ascii=False)
        return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def swapped_for(self, annotator: str) -> bool:
        """Return whether this annotator sees ``b`` first: a coin of their own for each pair."""
        return hashlib.sha256(f"{annotator} {self.id}".encode()).digest()[0] % 2 == 1


def make_pair(prompt: Iterable[Message], one: tuple[str, Origin], other: tuple[str, Origin]) -> Pair | None:
    """Return the pair of two replies, None where they are the same or one is blank."""
    (a, a_from), (b, b_from) = sorted((one, other))
    if not a.strip() or a.strip() == b.strip():
        return None
    return Pair(tuple(prompt), a, b, a_from, b_from)


class Reply(BaseModel):
    """One of two replies."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    text: str
    origin: str = Field(alias="from")


class Vote(BaseModel):
    """What one annotator chose: ``a``, ``b`` or ``none``. ``first`` is the side that they saw first."""

    model_config = ConfigDict(frozen=True)

    type: Literal["vote"] = "vote"
    id: str
    time: str
    pair: str
    prompt: list[dict[str, str]]
    a: Reply
    b: Reply
    choice: Literal["a", "b", "none"]
    first: Side
    annotator: str

    def to_record(self) -> Record:
        """Return the vote as a line of the file."""
        return self.model_dump(mode="json", by_alias=True)


class Withdrawal(BaseModel):
    """The vote with the id ``vote`` does not count any more."""

    model_config = ConfigDict(frozen=True)

    type: Literal["withdrawal"] = "withdrawal"
    id: str
    time: str
    vote: str
    annotator: str


def standing_votes(records: Iterable[Record]) -> list[Vote]:
    """Return the votes that count, oldest first: the newest of each annotator on each pair, unless withdrawn."""
    lines = known(records, _LINES)
    withdrawn = {(line.vote, line.annotator) for line in lines if isinstance(line, Withdrawal)}
    return newest_on_each_pair((line for line in lines if isinstance(line, Vote)), withdrawn)


def preferences(votes: Iterable[Vote]) -> list[dict[str, Any]]:
    """Return a row for preference training for each pair that has a majority: prompt, chosen, rejected, votes.

    The first three have the conversational shape that trl's DPO trainer reads. A pair without a majority is left out.
    """
    by_pair: dict[str, list[Vote]] = {}
    for vote in votes:
        by_pair.setdefault(vote.pair, []).append(vote)
    rows = []
    for pair, given in by_pair.items():
        counts = Counter(vote.choice for vote in given)
        if counts["a"] == counts["b"]:
            continue
        won: Side = "a" if counts["a"] > counts["b"] else "b"
        lost: Side = "b" if won == "a" else "a"
        replies = {"a": given[0].a, "b": given[0].b}
        rows.append(
            {
                "id": pair,
                "prompt": given[0].prompt,
                "chosen": [{"role": "assistant", "content": replies[won].text}],
                "rejected": [{"role": "assistant", "content": replies[lost].text}],
                "chosen_from": replies[won].origin,
                "rejected_from": replies[lost].origin,
                "votes": {"chosen": counts[won], "rejected": counts[lost], "none": counts["none"]},
            }
        )
    return rows


_LINES: TypeAdapter[Any] = TypeAdapter(Annotated[Vote | Withdrawal, Field(discriminator="type")])
