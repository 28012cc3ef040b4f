"""An audited corpus: a random sample of what was approved by trust, read blind by several people, and its bound.

In: the records of ``datasets/audits.jsonl``, and which rows still stand as they were drawn. Out: the state of each row
that was drawn, and the figures for `inosuke review audit` and the dataset card. Pure.

An answer never changes a sample. A row that is found wrong is a proposal: a person confirms it at the desk, and only
that makes an event of the review log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from curation.contracts.manifest import AuditFacts
from curation.review.decisions import DECISIVE, Decision, standing
from curation.review.records import Record, known

CONFIDENCE = 0.95

Outcome: TypeAlias = Literal["open", "right", "wrong", "disputed", "changed"]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    time: str


class Draw(_Line):
    """A random sample. ``frame`` is the number of rows it was drawn from; ``rows`` are the ids, in a random order.

    ``people`` read each row. ``source`` is the folder or file that the draw was limited to, empty for all.
    """

    type: Literal["draw"] = "draw"
    seed: int
    people: int = Field(ge=1)
    source: str = ""
    frame: int = Field(ge=1)
    rows: tuple[str, ...] = Field(min_length=1)


class Answer(_Line):
    """What one person says of a row. One that ``settles`` is an adjudicator's, who has seen the others' answers."""

    type: Literal["answer"] = "answer"
    draw: str
    row: str
    verdict: Literal["right", "wrong"]
    reason: str = ""
    annotator: str
    settles: bool = False


class Withdrawal(_Line):
    """The answer with the id ``answer`` does not count any more."""

    type: Literal["withdrawal"] = "withdrawal"
    answer: str
    annotator: str


@dataclass(slots=True)
class Row:
    """A row that was drawn, and its answers by annotator."""

    id: str
    answers: dict[str, Answer] = field(default_factory=dict)
    settled: Answer | None = None

    def outcome(self, people: int, stands: bool) -> Outcome:
        """Return what is known of the row; ``stands`` tells whether it still is what was drawn.

        A row that has changed since is left out, unless someone found it wrong before: its correction must not make
        the corpus look better than the sample was.
        """
        if self.settled is not None:
            return self.settled.verdict
        said = {answer.verdict for answer in self.answers.values()}
        if not stands and "wrong" not in said:
            return "changed"
        if stands and len(self.answers) < people:
            return "open"
        return "disputed" if len(said) > 1 else "wrong" if said == {"wrong"} else "right"


@dataclass(frozen=True, slots=True)
class Audit:
    """A draw with its rows, in the order of the draw."""

    draw: Draw
    rows: tuple[Row, ...]

    def outcomes(self, standing_rows: Collection[str]) -> dict[str, Outcome]:
        """Return the outcome of each row. ``standing_rows`` are the ids of rows that still are what was drawn."""
        return {row.id: row.outcome(self.draw.people, row.id in standing_rows) for row in self.rows}


def read_audits(records: Iterable[Record]) -> list[Audit]:
    """Return the audits, oldest first. Records of a shape that this version does not know are passed over."""
    lines = known(records, _LINES)
    withdrawn = {(line.answer, line.annotator) for line in lines if isinstance(line, Withdrawal)}
    audits = [Audit(d, tuple(Row(row) for row in d.rows)) for d in lines if isinstance(d, Draw)]
    rows = {(audit.draw.id, row.id): row for audit in audits for row in audit.rows}
    for line in lines:
        if not isinstance(line, Answer) or (line.id, line.annotator) in withdrawn:
            continue
        row = rows.get((line.draw, line.row))
        if row is not None and line.settles:
            row.settled = line
        elif row is not None:
            row.answers[line.annotator] = line  # the newest of each person counts
    return audits


def draw_rows(frame: Collection[str], size: int, seed: int) -> list[str]:
    """Return ``size`` ids of the frame, drawn without replacement, in a random order; all of them if it has fewer.

    The order is that of a hash of seed and id: the same on every machine and in every version of Python.
    """

    def place(row: str) -> bytes:
        return hashlib.sha256(f"audit {seed} {row}".encode()).digest()

    return sorted(frame, key=place)[:size]


def draw_id(seed: int, people: int, source: str, rows: Sequence[str]) -> str:
    """Return the id of a draw: two clones that draw the same rows make one audit."""
    return hashlib.sha256("\n".join([f"draw {seed} {people} {source}", *rows]).encode()).hexdigest()[:32]


def upper_bound(wrong: int, read: int, confidence: float = CONFIDENCE) -> float:
    """Return the one-sided upper bound of Clopper and Pearson (1934) on the share of wrong rows, 0 to 1.

    It takes the rows for independent draws. They are drawn without replacement from a finite corpus, for which the
    bound is a little too high, never too low.
    """
    from scipy.stats import beta

    if not 0 <= wrong <= read:
        raise ValueError(f"{wrong} wrong of {read} read; expected 0 to {read}")
    return 1.0 if wrong == read else float(beta.ppf(confidence, wrong + 1, read - wrong))


def figures(audit: Audit, standing_rows: Collection[str]) -> AuditFacts:
    """Return an audit's figures; without a bound while a row is open. A row in dispute counts as wrong."""
    outcomes = list(audit.outcomes(standing_rows).values())
    disputed = outcomes.count("disputed")
    wrong = outcomes.count("wrong") + disputed
    read = outcomes.count("right") + wrong
    is_complete = "open" not in outcomes and read > 0
    return AuditFacts(
        drawn=len(outcomes),
        frame=audit.draw.frame,
        people=audit.draw.people,
        source=audit.draw.source,
        read=read,
        wrong=wrong,
        disputed=disputed,
        changed=outcomes.count("changed"),
        open=outcomes.count("open"),
        confidence=CONFIDENCE,
        bound=round(upper_bound(wrong, read), 6) if is_complete else None,
    )


def approved_by_trust(events: Iterable[Decision]) -> bool:
    """Return whether one sample's events leave it approved by import alone: no person's verdict stands."""
    decisive = [event for event in standing(events) if event.verdict in DECISIVE]
    return bool(decisive) and all(event.client == "import" for event in decisive)


def in_source(path: str, source: str) -> bool:
    """Return whether a sample's source file is the file, or lies in the folder, that a draw was limited to."""
    folder = source.strip("/")
    return not folder or path == folder or path.startswith(f"{folder}/")


_LINES: TypeAdapter[Any] = TypeAdapter(Annotated[Draw | Answer | Withdrawal, Field(discriminator="type")])
