"""The voices that a passport compares, and the proof that a figure tells them apart. Pure.

A figure is shown only where it puts the author's own held-out replies above another speaker's lines and above the
base's replies on this very corpus, and where it finds no difference between two halves of the author's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.contracts.rows import ExportedRow, HeldOut
from train.evaluation import bootstrap
from train.evaluation.bootstrap import Figure

FEWEST = 20  # texts of a voice: an order of fewer proves nothing
DRAWS = 500


@dataclass(frozen=True, slots=True)
class Voice:
    """What one speaker said; text i belongs to group i, and texts of one group are drawn together."""

    texts: Sequence[str]
    groups: Sequence[str]

    def where(self, keep: Callable[[str], bool]) -> Voice:
        """Return the texts that ``keep`` accepts."""
        kept = [i for i, text in enumerate(self.texts) if keep(text)]
        return Voice([self.texts[i] for i in kept], [self.groups[i] for i in kept])


@dataclass(frozen=True, slots=True)
class Voices:
    """Four voices. ``author`` and ``speaker`` are of the eval split, so that no adapter has seen them."""

    author: Voice
    speaker: Voice
    base: Voice
    adapter: Voice

    def where(self, keep: Callable[[str], bool]) -> Voices:
        """Return the same with the texts that ``keep`` accepts."""
        return Voices(*(v.where(keep) for v in (self.author, self.speaker, self.base, self.adapter)))


@dataclass(frozen=True, slots=True)
class Proof:
    """How well a figure orders known voices. ``fault`` says why it is not shown; it is empty where it is."""

    pairs: dict[str, Figure]
    control: Figure
    fault: str

    def to_json(self) -> dict[str, Any]:
        """Return plain objects."""
        return {"pairs": self.pairs, "control": self.control, "fault": self.fault}


def replies_of(rows: Sequence[ExportedRow], prompts: Sequence[HeldOut], groups: Sequence[str]) -> Voice:
    """Return the author's replies: those of rows, and the references of prompts. Row i is of group i."""
    found = [(m.content, g) for row, g in zip(rows, groups, strict=True) for m in row.messages if m.role == "assistant"]
    found += [(p.reference, p.id) for p in prompts if p.reference]
    return Voice([text for text, _ in found], [group for _, group in found])


def lines_of_others(rows: Sequence[ExportedRow], groups: Sequence[str], templates: Sequence[str]) -> Voice:
    """Return what others say in rows, without the prompts of templates.

    Where enough of it answers the character, only that: a question is easily told from a reply, whoever asks.
    """
    found: list[tuple[str, str, bool]] = []
    for row, group in zip(rows, groups, strict=True):
        for i, message in enumerate(row.messages):
            if message.role == "user" and message.content.strip() not in templates:
                answers = i > 0 and row.messages[i - 1].role == "assistant"
                found.append((message.content, group, answers))
    answering = [line for line in found if line[2]]
    chosen = answering if len(answering) >= FEWEST else found
    return Voice([text for text, _, _ in chosen], [group for _, group, _ in chosen])


def prove(author: Sequence[float], speaker: Sequence[float], base: Sequence[float], voices: Voices) -> Proof:
    """Return whether values put the author above another speaker and above the base; value i is of text i."""
    groups = voices.author.groups
    halves = [hashlib.sha256(g.encode()).digest()[0] % 2 == 0 for g in groups]
    first, second = ([i for i, h in enumerate(halves) if h is side] for side in (True, False))
    pairs = {
        "author over another speaker": above(author, speaker, groups, voices.speaker.groups),
        "author over the base": above(author, base, groups, voices.base.groups),
    }
    control = above(
        [author[i] for i in first],
        [author[i] for i in second],
        [groups[i] for i in first],
        [groups[i] for i in second],
    )
    return Proof(pairs, control, _fault(pairs, control))


def _fault(pairs: dict[str, Figure], control: Figure) -> str:
    for name, figure in (*pairs.items(), ("one half of the author over the other", control)):
        if figure["value"] is None:
            return f"{name}: fewer than {FEWEST} texts"
    for name, figure in pairs.items():
        if figure["low"] <= 0.5:
            return f"{name} in {figure['value']:.0%} of pairs ({figure['low']:.0%} to {figure['high']:.0%})"
    if not control["low"] <= 0.5 <= control["high"]:
        return f"it tells two halves of the author's own replies apart ({control['value']:.0%} of pairs)"
    return ""


def above(
    better: Sequence[float], worse: Sequence[float], groups: Sequence[str], other_groups: Sequence[str]
) -> Figure:
    """Return the share of pairs in which the first is greater (ties count half), with an interval over groups."""
    if min(len(better), len(worse)) < FEWEST:
        return {"value": None, "low": None, "high": None, "n": min(len(better), len(worse)), "groups": 0}
    a, b = np.asarray(better, dtype=float), np.asarray(worse, dtype=float)
    random = np.random.default_rng(0)
    own, other = _members(groups), _members(other_groups)
    drawn = [_share(a[_draw(own, random)], b[_draw(other, random)]) for _ in range(DRAWS)]
    tail = (1 - bootstrap.LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    count = min(len(own), len(other))
    return {"value": _share(a, b), "low": float(low), "high": float(high), "n": len(a), "groups": count}


def _share(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    b = np.sort(b)
    less, up_to = np.searchsorted(b, a, "left"), np.searchsorted(b, a, "right")
    return float((less + up_to).mean() / 2 / len(b))


def _members(groups: Sequence[str]) -> list[NDArray[np.int64]]:
    found: dict[str, list[int]] = {}
    for at, group in enumerate(groups):
        found.setdefault(group, []).append(at)
    return [np.asarray(members) for members in found.values()]


def _draw(members: list[NDArray[np.int64]], random: np.random.Generator) -> NDArray[np.int64]:
    return np.concatenate([members[i] for i in random.integers(0, len(members), len(members))])
