"""A run beside another run: both measured on the same rows and prompts, so that their differences are paired.

In: the scores and replies of one run, and the other run. Out: the figures of ``evaluation.json``'s ``against``, in
which the other run stands where the base usually stands, and its replies for the blind page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from curation.contracts.rows import ExportedRow, HeldOut
from curation.errors import InosukeError
from train.data.dialogues import Export, load_export
from train.evaluation import likelihood
from train.evaluation.metrics import LIKELIHOOD_METRICS
from train.evaluation.subject import open_subject
from train.model.generate import Reply
from train.model.scoring import Score
from train.run.finished import FinishedRun

Say = Callable[[str], None]
Measure = Callable[[Sequence[HeldOut], Sequence[str], Sequence[Reply], Sequence[Reply]], dict[str, Any]]

# Tokens of two bases cannot be compared; characters and turns can.
METRICS = tuple(m for m in LIKELIHOOD_METRICS if m.under != "tokens")


def compare(
    other: FinishedRun,
    export: Export,
    rows: Sequence[ExportedRow],
    ours: Sequence[Score],
    prompts: tuple[Sequence[HeldOut], Sequence[str], Sequence[Reply], int],
    measure: Measure,
    say: Say,
) -> tuple[dict[str, Any], list[str]]:
    """Measure the other run on ``rows``, which have the scores ``ours``, and on prompts (with groups, replies, limit).

    Returns the figures, and what the other run said to each prompt. A row counts where neither run was trained on its
    reply and both were shown all of it: a longer dialogue loses its beginning under a smaller ``max_length`` or another
    tokenizer. Raises InosukeError when no row of the eval split is left.
    """
    learnt = _learnt(other, export, say)
    subject = open_subject(other, say)
    encoded, _ = subject.encode(rows)
    shown = {row.id: row for row in encoded}
    pairs = [
        (row, score, shown[row.id])
        for row, score in zip(rows, ours, strict=True)
        if row.id in shown and shown[row.id].chars == score.chars
    ]
    alike = len(pairs)
    pairs = [(row, score, there) for row, score, there in pairs if row.messages[-1].content.strip() not in learnt]
    skipped = {"rendered differently": len(rows) - alike, "in the training of the other run": alike - len(pairs)}
    if not any(row.kind != "held-out" for row, _, _ in pairs):
        reasons = " and ".join(f"{n} are {why}" for why, n in skipped.items() if n)
        raise InosukeError(
            f"{other.name} cannot be compared on export {export.version}: of {len(rows)} rows {reasons}. "
            "Name an export that neither run was trained on with --export."
        )
    for why, count in skipped.items():
        if count:
            say(f"Note: {count} of {len(rows)} rows are left out of the comparison with {other.name}: {why}.")
    say(f"Scoring {len(pairs)} dialogues with {other.name} ({subject.weights['adapter']})")
    theirs = subject.adapter_scores([there for _, _, there in pairs])
    tried, groups, our_replies, limit = prompts
    their_replies = subject.adapter_replies(tried, limit)
    subject.close()

    def part(held_out: bool) -> dict[str, Any]:
        chosen = [i for i, (row, _, _) in enumerate(pairs) if (row.kind == "held-out") == held_out]
        return likelihood.compared(
            [pairs[i][0] for i in chosen], [theirs[i] for i in chosen], [pairs[i][1] for i in chosen], METRICS
        )

    figures = {
        "run": other.name,
        "base_model": other.base.name,
        "weights": subject.weights["adapter"],
        "skipped": skipped,
        "eval": part(held_out=False),
        "held_out": part(held_out=True),
        "replies": measure(tried, groups, their_replies, our_replies),
    }
    return figures, [reply.text for reply in their_replies]


def _learnt(other: FinishedRun, export: Export, say: Say) -> set[str]:
    """Return every reply that the other run was trained on, where that is not known to be apart from the eval split."""
    own = other.metrics.dataset
    if own.files == export.files:
        return set()
    folder = other.root / Path(own.path)
    if not own.path or not folder.is_dir():
        say(
            f"Note: the export that {other.name} was trained on ({own.version}) does not exist any more. If it held "
            "these eval dialogues, its figures are too good."
        )
        return set()
    return {m.content.strip() for row in load_export(folder).train for m in row.messages if m.role == "assistant"}
