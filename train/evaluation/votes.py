"""Votes on the blind page: which side is the adapter's, reading the files that annotators saved, and the result.

Pure except for reading a file. The page does not contain which side is the adapter's. That follows from the id of the
page and the id of the pair, by :func:`adapter_is_a` alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from curation.contracts.evaluation import Answer, Evaluation
from curation.errors import UsageError, explain
from train.evaluation import bootstrap

Choice = Literal["a", "b", "same", "neither"]


class Vote(BaseModel):
    """One vote of an annotator on one pair."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    pair: str = Field(min_length=1)
    choice: Choice


class VoteFile(BaseModel):
    """The file that the page's save button writes."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    page: str
    annotator: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    votes: tuple[Vote, ...]


def page_id(run: str, answers: Sequence[Answer]) -> str:
    """Return an id made from the content of a page, so that votes on other replies can be recognised."""
    shown = [run, *([a.id, a.rival, a.adapter] for a in answers)]
    return hashlib.sha256(json.dumps(shown, ensure_ascii=False).encode()).hexdigest()[:16]


def adapter_is_a(page: str, pair: str) -> bool:
    """Return whether side A of a pair is the adapter's: a coin flip that the evaluation makes reproducible."""
    return hashlib.sha256(f"{page}/{pair}".encode()).digest()[0] % 2 == 0


def read(file: Path, evaluation: Evaluation) -> list[dict[str, str]]:
    """Read a file that was saved on the page of ``evaluation``.

    Raises UsageError for a file that does not exist, is not a vote file, or belongs to another page.
    """
    try:
        found = VoteFile.model_validate_json(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror}). Name a file that the blind page saved.") from None
    except ValidationError as error:
        raise UsageError(
            f"{file}: {explain(error, VoteFile)}. Expected a file that ab.html's save button wrote."
        ) from None
    if found.page != evaluation.page:
        raise UsageError(
            f"{file}: votes on page {found.page}, but the evaluation of {evaluation.run} made page {evaluation.page}. "
            "The replies are different, so the votes do not apply: name the run they belong to, or vote again."
        )
    pairs = {a.id for a in evaluation.answers}
    if unknown := sorted({v.pair for v in found.votes} - pairs):
        raise UsageError(f"{file}: votes on pairs that the page does not have: {', '.join(unknown[:3])}.")
    return [
        {"annotator": found.annotator, "pair": v.pair, "choice": v.choice, "for": _for(found.page, v)}
        for v in found.votes
    ]


def merge(existing: Sequence[dict[str, str]], new: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Combine votes; an annotator's later vote on a pair replaces the earlier one."""
    kept = {(v["annotator"], v["pair"]): v for v in (*existing, *new)}
    return [kept[key] for key in sorted(kept)]


def preference(votes: Sequence[dict[str, str]]) -> dict[str, Any] | None:
    """Return counts and the adapter's share, ties counting half, with an interval over pairs; None without votes."""
    if not votes:
        return None
    points = {"adapter": 1.0, "base": 0.0, "same": 0.5, "neither": 0.5}
    by_pair: dict[str, list[float]] = {}
    for vote in votes:
        by_pair.setdefault(vote["pair"], []).append(points[vote["for"]])
    # Resample pairs; a pair counts once, however many annotators voted on it.
    share = bootstrap.mean([sum(x) / len(x) for x in by_pair.values()])
    shared = [x for x in by_pair.values() if len(x) > 1]
    return {
        "counts": {name: sum(v["for"] == name for v in votes) for name in points},
        "annotators": len({v["annotator"] for v in votes}),
        "pairs": len(by_pair),
        "share_for_adapter": share,
        "agreement": sum(len(set(x)) == 1 for x in shared) / len(shared) if shared else None,
    }


def _for(page: str, vote: Vote) -> str:
    if vote.choice in ("same", "neither"):
        return vote.choice
    return "adapter" if (vote.choice == "a") == adapter_is_a(page, vote.pair) else "base"
