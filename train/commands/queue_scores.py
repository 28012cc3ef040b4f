"""``inosuke evaluate --queue``: how unlikely a run finds the replies that wait for a verdict.

In: ``waiting.jsonl`` of the newest `inosuke dataset`. Out: ``queue_scores.json`` beside it, for the next one to read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from curation.contracts.queue_scores import ReplyScore, read_queue_scores, read_waiting, write_queue_scores
from curation.folders import Folders
from train.evaluation.subject import open_subject
from train.run.finished import open_run

# The scores of this many samples are lost at most when the command is interrupted: a minute or two on two cores.
_SAVE_EVERY = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was done: ``waiting`` samples wait, ``known`` of them had a score by this run, ``left_out`` are too long."""

    run: str
    path: str
    waiting: int
    known: int
    left_out: int

    def text(self) -> str:
        """Describe it, and name the next command."""
        more = f", {self.left_out:,} are too long for the run" if self.left_out else ""
        return (
            f"{self.waiting:,} samples wait; {self.known:,} were scored by {self.run} before{more}.\n"
            f"  scores      {self.path}\n\nRun `inosuke dataset` to order the queue by them."
        )


def score_queue(persona_file: Path, run: str | None, say: Callable[[str], None]) -> Measured:
    """Score what waits with a run, or the newest. Scores by this run are kept, those by another one are replaced.

    Raises InosukeError where there is no run, where nothing says what waits, or where a file is damaged.
    """
    folders = Folders(persona_file.resolve().parent)
    rows = read_waiting(folders.waiting)
    trained = open_run(folders.root, run, say)
    before = read_queue_scores(folders.queue_scores)
    waiting = {row.id for row in rows}
    same = before is not None and before.run == trained.folder.name
    scores = {i: s for i, s in before.scores.items() if i in waiting} if before is not None and same else {}
    known = len(scores)
    new = [row for row in rows if row.id not in scores]
    left_out: list[str] = []
    if new:
        subject = open_subject(trained, say)
        encoded, left_out = subject.encode(new)
        encoded = [row for row in encoded if row.chars]
        say(f"Scoring {len(encoded):,} samples that wait with {trained.folder.name}")
        for start in range(0, len(encoded), _SAVE_EVERY):
            part = encoded[start : start + _SAVE_EVERY]
            for row, score in zip(part, subject.adapter_scores(part), strict=True):
                scores[row.id] = ReplyScore(nll=score.nll, chars=score.chars)
            write_queue_scores(folders.queue_scores, trained.folder.name, scores)
        subject.close()
    write_queue_scores(folders.queue_scores, trained.folder.name, scores)
    shown = folders.queue_scores.relative_to(folders.root).as_posix()
    return Measured(run=trained.folder.name, path=shown, waiting=len(rows), known=known, left_out=len(left_out))
