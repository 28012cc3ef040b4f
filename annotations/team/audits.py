"""Audits in the store: draw a random sample of what was approved by trust, and have it read blind.

:mod:`curation.review.audit` says what the records mean; this module draws, offers each reader their next row, and keeps
the answers. An answer changes no sample.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from annotations.store import events_table
from annotations.store.database import in_batches, reading
from annotations.store.events_table import new_id
from annotations.store.review_store import ReviewStore
from annotations.store.schema import events, samples
from annotations.store.types import Item, NeedsAdjudicator
from annotations.team.books import Books, books_of
from curation.contracts.manifest import AuditFacts
from curation.errors import InosukeError, UsageError
from curation.review.audit import (
    Answer,
    Audit,
    Draw,
    Withdrawal,
    approved_by_trust,
    draw_id,
    draw_rows,
    figures,
    in_source,
    read_audits,
)
from curation.review.decisions import Decision


@dataclass(frozen=True, slots=True)
class Task:
    """A row to read: its text alone, without a hint of what was decided about it."""

    audit: Audit
    item: Item
    left: int  # rows that this reader has still to read, this one included


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that is found wrong or in dispute, and still stands: a proposal to reject or rewrite it."""

    audit: Audit
    item: Item
    answers: tuple[Answer, ...]
    disputed: bool


@dataclass(frozen=True)
class Audits:
    """A store's audits."""

    store: ReviewStore

    @property
    def _books(self) -> Books:
        return books_of(self.store)

    def all(self) -> list[Audit]:
        """Return the audits, oldest first."""
        return read_audits(self._books.read("audits"))

    def draw(self, size: int, seed: int, people: int, source: str = "") -> Audit:
        """Draw a sample of the rows that are approved by trust alone, and queue it for its readers.

        Drawing the same again returns the audit there is. Raises UsageError where nothing fits, InosukeError while
        another audit is unfinished: whoever could drop a sample that looks bad and draw again would bias the bound.
        """
        frame = sorted(self._trusted(source))
        if not frame:
            where = f" from {source}" if source else ""
            raise UsageError(
                f"no sample{where} is approved by trust alone, so there is nothing to audit. Expected a folder with "
                "`trusted = true` in persona.toml: run `inosuke dataset`, then try again."
            )
        rows = draw_rows(frame, size, seed)
        audits = self.all()
        identity = draw_id(seed, people, source, rows)
        known = next((audit for audit in audits if audit.draw.id == identity), None)
        if known is not None:
            return known
        self._refuse_while_open(audits)
        draw = Draw(
            id=identity,
            time=self._books.now(),
            seed=seed,
            people=people,
            source=source,
            frame=len(frame),
            rows=tuple(rows),
        )
        self._books.add("audits", [draw.model_dump(mode="json")])
        return next(audit for audit in self.all() if audit.draw.id == identity)

    def _refuse_while_open(self, audits: Iterable[Audit]) -> None:
        for audit in audits:
            facts = self.figures(audit)
            if facts.open:
                raise InosukeError(
                    f"an audit of {facts.drawn:,} rows is not finished: {facts.open:,} of them wait for a reader. "
                    "Finish it first (make review, view Blind reading), then draw the next one."
                )

    def figures(self, audit: Audit) -> AuditFacts:
        """Return an audit's figures as the store stands now."""
        return figures(audit, self._standing(audit))

    def _standing(self, audit: Audit) -> set[str]:
        """Return which rows still are what was drawn: in the queue, and approved by trust alone."""
        return self._trusted(audit.draw.source, [row.id for row in audit.rows])

    # ------------------------------------------------------------ reading

    def task(self, annotator: str) -> Task | None:
        """Return the annotator's next row, None where none waits for them. Each reader has an order of their own."""
        for audit in self.all():
            outcomes = audit.outcomes(self._standing(audit))
            mine = [row.id for row in audit.rows if outcomes[row.id] == "open" and annotator not in row.answers]
            if mine:
                first = min(mine, key=lambda row: hashlib.sha256(f"{annotator} {row}".encode()).digest())
                return Task(audit, self.store.queue.item(first), len(mine))
        return None

    def answer(
        self, audit: Audit, row: str, annotator: str, verdict: Literal["right", "wrong"], reason: str = ""
    ) -> None:
        """Record what a reader says of a row."""
        self._record(audit, row, annotator, verdict, reason)

    def _record(
        self,
        audit: Audit,
        row: str,
        annotator: str,
        verdict: Literal["right", "wrong"],
        reason: str,
        settles: bool = False,
    ) -> None:
        answer = Answer(
            id=new_id(),
            time=self._books.now(),
            draw=audit.draw.id,
            row=row,
            verdict=verdict,
            reason=reason,
            annotator=annotator,
            settles=settles,
        )
        self._books.add("audits", [answer.model_dump(mode="json")])

    def withdraw(self, annotator: str) -> str | None:
        """Withdraw the annotator's newest answer that counts. Returns its row, None where there is none."""
        mine = [
            answer
            for audit in self.all()
            for row in audit.rows
            for answer in (*row.answers.values(), *([row.settled] if row.settled else []))
            if answer.annotator == annotator
        ]
        if not mine:
            return None
        newest = max(mine, key=lambda answer: (answer.time, answer.id))
        gone = Withdrawal(id=new_id(), time=self._books.now(), answer=newest.id, annotator=annotator)
        self._books.add("audits", [gone.model_dump(mode="json")])
        return newest.row

    # ------------------------------------------------------------ what was found

    def findings(self) -> list[Finding]:
        """Return the rows found wrong or in dispute that no one has corrected yet, oldest audit first."""
        found = []
        for audit in self.all():
            there = self._standing(audit)
            outcomes = audit.outcomes(there)
            for row in audit.rows:
                if row.id in there and outcomes[row.id] in ("wrong", "disputed"):
                    answers = (*row.answers.values(), *([row.settled] if row.settled else []))
                    item = self.store.queue.item(row.id)
                    found.append(Finding(audit, item, answers, outcomes[row.id] == "disputed"))
        return found

    def settle(self, finding: Finding, adjudicator: str, verdict: Literal["right", "wrong"], reason: str = "") -> None:
        """Settle a dispute. It says what counts in the audit; the sample stays as it is. Raises NeedsAdjudicator."""
        if self.store.people.roles().get(adjudicator) != "adjudicator":
            raise NeedsAdjudicator(finding.item.id)
        self._record(finding.audit, finding.item.id, adjudicator, verdict, reason, settles=True)

    def confirm(self, finding: Finding, annotator: str, reason: str) -> Decision:
        """Reject a row that was found wrong: the person's verdict, an event of the log. Raises as ``decide`` does."""
        return self.store.decide(
            finding.item.id,
            annotator,
            "reject",
            revision=finding.item.state.revision,
            reason=reason,
            seen=finding.item.seen,
        )

    # ------------------------------------------------------------ the frame

    def _trusted(self, source: str, ids: Collection[str] | None = None) -> set[str]:
        """Return the samples of the queue that are approved by trust alone, all or those of ``ids``."""
        query = select(samples.c.id, samples.c.source_path).where(
            samples.c.queued.is_(True), samples.c.status == "approved", samples.c.revision == 0
        )
        if ids is not None:
            query = query.where(samples.c.id.in_(list(ids)))
        with reading(self.store.engine) as connection:
            approved = [row.id for row in connection.execute(query) if in_source(row.source_path, source)]
            by_sample: dict[str, list[Decision]] = defaultdict(list)
            for some in in_batches(approved):
                for row in connection.execute(events_table.selected().where(events.c.sample_id.in_(some))):
                    by_sample[row.sample_id].append(events_table.from_row(row))
        return {sample for sample, log in by_sample.items() if approved_by_trust(log)}
