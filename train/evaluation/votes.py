"""Votes on the blind page: which side is whose, reading what annotators exported, and what it adds up to. Pure but for
reading a file.

The page itself does not hold which side is the adapter's; it follows from the page's id and the pair's, here only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from curation.errors import UsageError
from train.evaluation import bootstrap

Choice = Literal["a", "b", "same", "neither"]


class Vote(BaseModel):
    """One annotator's word on one pair."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    pair: str = Field(min_length=1)
    choice: Choice


class VoteFile(BaseModel):
    """What the page's export button saves."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    page: str
    annotator: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    votes: tuple[Vote, ...]


def page_id(run: str, answers: Sequence[dict[str, Any]]) -> str:
    """Name a page by what stands on it, so that votes on other replies are told apart."""
    shown = [run, *([a["id"], a["base"], a["adapter"]] for a in answers)]
    return hashlib.sha256(json.dumps(shown, ensure_ascii=False).encode()).hexdigest()[:16]


def adapter_is_a(page: str, pair: str) -> bool:
    """Say which side of a pair is the adapter's: a coin that anybody who has the evaluation can throw again."""
    return hashlib.sha256(f"{page}/{pair}".encode()).digest()[0] % 2 == 0


def read(file: Path, content: dict[str, Any]) -> list[dict[str, str]]:
    """Read an export of the page that ``content`` (evaluation.json) describes.

    Raises UsageError for a file that is not there, is no export, or belongs to another page.
    """
    try:
        found = VoteFile.model_validate_json(file.read_bytes())
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be read ({error.strerror}). Name a file that the blind page exported."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(f"{file}: {where}: {first['msg']}. Expected what ab.html's export button saves.") from None
    if found.page != content["page"]:
        raise UsageError(
            f"{file}: votes on page {found.page}; the evaluation of {content['run']} made page {content['page']}. "
            "The replies are others, so the votes say nothing about them: name the run they belong to, or vote anew."
        )
    pairs = {a["id"] for a in content["answers"]}
    if strange := sorted({v.pair for v in found.votes} - pairs):
        raise UsageError(f"{file}: votes on pairs that the page does not have: {', '.join(strange[:3])}.")
    return [
        {"annotator": found.annotator, "pair": v.pair, "choice": v.choice, "for": _for(found.page, v)}
        for v in found.votes
    ]


def merge(there: Sequence[dict[str, str]], new: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Put votes together; an annotator's later vote on a pair takes the place of the former."""
    kept = {(v["annotator"], v["pair"]): v for v in (*there, *new)}
    return [kept[key] for key in sorted(kept)]


def preference(content: dict[str, Any]) -> dict[str, Any] | None:
    """Return counts and the adapter's share, ties counting half, with an interval over pairs; None without votes."""
    votes = content["votes"]
    if not votes:
        return None
    points = {"adapter": 1.0, "base": 0.0, "same": 0.5, "neither": 0.5}
    by_pair: dict[str, list[float]] = {}
    for vote in votes:
        by_pair.setdefault(vote["pair"], []).append(points[vote["for"]])
    # Pairs are drawn, and a pair counts once however many looked at it.
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
