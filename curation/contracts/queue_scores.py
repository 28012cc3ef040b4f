"""``datasets/build/waiting.jsonl`` and ``queue_scores.json``: what waits for a verdict, and how a run finds it.

`inosuke dataset` writes the first where persona.toml orders the queue by what teaches most; `inosuke evaluate --queue`
reads it and writes the second, which the next `inosuke dataset` reads.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from curation.contracts.contract import Contract, lines, read, write
from curation.contracts.rows import ExportedRow
from curation.errors import InosukeError
from curation.files import write_atomically
from curation.record import Sample, messages_from_json, messages_to_json

_WRITER = "inosuke evaluate --queue"
_REMEDY = f"Delete it, and run `{_WRITER}` again."


class ReplyScore(Contract):
    """Summed negative log-likelihood (natural log) of a sample's replies, and their characters."""

    nll: float
    chars: int = Field(ge=1)


class QueueScores(Contract):
    """``queue_scores.json``: the run that was measured, and its scores by sample id."""

    run: str
    scores: dict[str, ReplyScore]

    def surprise(self) -> dict[str, float]:
        """Return the nll per reply character of each sample; a score that is not finite is left out."""
        return {name: s.nll / s.chars for name, s in self.scores.items() if math.isfinite(s.nll)}


def read_queue_scores(file: Path) -> QueueScores | None:
    """Read the scores; None where the queue was not measured. Raises InosukeError for a damaged file."""
    return read(file, QueueScores, _WRITER, _REMEDY) if file.is_file() else None


def write_queue_scores(file: Path, run: str, scores: Mapping[str, ReplyScore]) -> None:
    """Write the scores, in the order of ids."""
    write(file, QueueScores(run=run, scores=dict(sorted(scores.items()))))


def write_waiting(file: Path, samples: Iterable[Sample]) -> None:
    """Write the samples that wait."""
    rows = (
        {"id": s.id, "kind": s.kind, "language": s.language, "messages": messages_to_json(s.messages)} for s in samples
    )
    write_atomically(file, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def read_waiting(file: Path) -> list[ExportedRow]:
    """Read the samples that wait. Raises InosukeError where the file is missing or damaged."""
    if not file.is_file():
        raise InosukeError(
            f'{file}: does not exist, so it is not known what waits for a verdict. Set `order = "teaching"` below '
            "[review] in persona.toml and run `inosuke dataset` first."
        )

    def row(content: Mapping[str, Any]) -> ExportedRow:
        return ExportedRow(
            id=content["id"],
            kind=content["kind"],
            messages=messages_from_json(content["messages"]),
            language=content["language"],
        )

    return list(lines(file, row))
