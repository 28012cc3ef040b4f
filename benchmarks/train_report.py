"""The arithmetic and the tables of `bench_train`. Pure: figures in, Markdown out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from train.evaluation import bootstrap

GOAL = 2.5
Figures = Mapping[str, Any]  # a result of benchmarks.train_sides


@dataclass(frozen=True)
class Side:
    """One side of the comparison: its training of each seed, and the eval rows' scores after each.

    ``settings`` says what was searched and chosen; ``curve`` holds, for each share of a training that was measured, the
    mean seconds by the clock, the mean processor seconds and the mean nll per reply character, the whole training last.
    """

    label: str
    settings: str
    trainings: Sequence[Figures]
    scores: Sequence[Figures]
    curve: Sequence[tuple[float, float, float]]

    @property
    def nll(self) -> float:
        return statistics.mean(nll(score) for score in self.scores)


def nll(score: Figures) -> float:
    """Return nll per reply character, end-of-turn tokens included, as everywhere in the project."""
    return float(sum(score["nll"]) / sum(score["chars"]))


def reached(curve: Sequence[tuple[float, float, float]], target: float, clock: int) -> float:
    """Return the seconds (``clock`` 0: wall, 1: processor) after which a curve stays at ``target`` or below.

    Between two measured points the nll is taken to fall in a straight line. A curve that is below the target at its
    first point is said to reach it there, which is not before it does. Raises ValueError for one that ends above.
    """
    if curve[-1][2] > target:
        raise ValueError(f"the curve ends at {curve[-1][2]}, above {target}")
    for before, after in zip(curve[-2::-1], curve[:0:-1], strict=True):
        if before[2] > target:
            share = (before[2] - target) / (before[2] - after[2])
            return before[clock] + share * (after[clock] - before[clock])
    return curve[0][clock]


def difference(ours: Side, theirs: Side) -> dict[str, Any]:
    """Return ours minus theirs in nll per reply character, the seeds' mean, with a 95% interval over eval groups."""
    chars = ours.scores[0]["chars"]
    groups = ours.scores[0]["group"]
    if any(score["group"] != groups or score["chars"] != chars for side in (ours, theirs) for score in side.scores):
        raise ValueError("the sides were measured on different rows")
    mine, others = (_mean_by_row(side) for side in (ours, theirs))
    return bootstrap.ratio_difference(mine, others, chars, groups)


def _mean_by_row(side: Side) -> list[float]:
    return [statistics.mean(values) for values in zip(*(score["nll"] for score in side.scores), strict=True)]


def table(ours: Side, theirs: Side, base: Figures, tried: Sequence[str], heading: str) -> str:
    """Return the section of results.md."""
    target = max(ours.nll, theirs.nll)
    walls, processors = ([reached(side.curve, target, clock) for side in (ours, theirs)] for clock in (0, 1))
    between = difference(ours, theirs)
    rows = [
        ("nll per reply character, before", [f"{nll(base):.3f}"] * 2, ""),
        (
            "the same after, mean of the seeds",
            [f"{side.nll:.3f} ({_range(map(nll, side.scores))})" for side in (ours, theirs)],
            "",
        ),
        ("s a dialogue, by the clock", *_each("seconds", ours, theirs)),
        ("s a dialogue, of processor", *_each("cpu_seconds", ours, theirs)),
        ("peak memory, MB", *_peak(ours, theirs)),
        (
            f"**s to nll {target:.3f}, by the clock**",
            [f"{x:.0f}" for x in walls],
            f"**{walls[1] / walls[0]:.1f} times as quick** (goal: {GOAL:g})",
        ),
        (
            f"s to nll {target:.3f}, of processor",
            [f"{x:.0f}" for x in processors],
            f"{processors[1] / processors[0]:.1f} times",
        ),
    ]
    lines = [
        "## Training",
        "",
        heading,
        "",
        f"- ours: {ours.settings}",
        f"- trl: {theirs.settings}",
        "",
        "| | ours | trl | trl / ours |",
        "| --- | ---: | ---: | ---: |",
        *(f"| {name} | {mine} | {other} | {both} |" for name, (mine, other), both in rows),
        "",
        f"Ours minus trl in nll per reply character: {between['value']:+.3f} "
        f"({between['low']:+.3f} to {between['high']:+.3f}, 95%, eval groups resampled, the mean of the seeds). "
        f"{_equal(between)}",
        "",
        "What was tried to set each side up:",
        "",
        *tried,
    ]
    return "\n".join(lines)


def _equal(between: Mapping[str, float]) -> str:
    if between["low"] <= 0 <= between["high"]:
        return "The interval holds 0: by these seeds and rows neither side is better at equal dialogues."
    return f"At equal dialogues {'ours' if between['value'] < 0 else 'trl'} is better."


def _each(key: str, ours: Side, theirs: Side) -> tuple[list[str], str]:
    """Return both sides' means a dialogue, and the ratio of each pair that ran one after the other."""
    per = [[t[key] / t["rows"] for t in side.trainings] for side in (ours, theirs)]
    ratios = [b / a for a, b in zip(*per, strict=True)]
    return [f"{statistics.mean(x):.2f}" for x in per], f"{statistics.median(ratios):.1f} ({_range(ratios, 1)})"


def _peak(ours: Side, theirs: Side) -> tuple[list[str], str]:
    mine, other = (max(t["peak_mb"] for t in side.trainings) for side in (ours, theirs))
    return [f"{mine:,.0f}", f"{other:,.0f}"], f"{other / mine:.1f}"


def _range(values: Any, digits: int = 3) -> str:
    known = list(values)
    return f"{min(known):.{digits}f} to {max(known):.{digits}f}"
