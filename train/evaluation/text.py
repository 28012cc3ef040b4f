"""An evaluation as text: the table on the screen and the section of the model card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from curation.contracts.evaluation import Evaluation
from curation.persona import Persona
from train.evaluation.metrics import LIKELIHOOD_METRICS, REPLY_METRICS, SET_METRICS, Metric

SIDES = ("base", "adapter")
Row = tuple[str, str, str, str]  # label, base, adapter, difference with its interval


@dataclass(frozen=True, slots=True)
class Table:
    """A table of two models; ``sides`` are their names. In a comparison of runs the other run is the first."""

    title: str
    rows: list[Row]
    sides: tuple[str, str] = SIDES


def table(evaluation: Evaluation, persona: Persona) -> str:
    """Return the figures for the screen, base and adapter side by side."""
    lines = [f"Run {evaluation.run} on dataset {evaluation.dataset['version']}"]
    lines += [f"  {line}" for line in measured_on(evaluation)]
    for part in tables(evaluation, persona):
        first, second = part.sides
        lines += ["", f"  {part.title:<44}{_short(first):>8}{_short(second):>9}   difference (95 %)"]
        lines += [f"  {label:<44}{base:>8}{adapter:>9}   {change}" for label, base, adapter, change in part.rows]
    if chosen := preferred(evaluation):
        lines += ["", f"  {chosen}"]
    return "\n".join(lines)


def section(evaluation: Evaluation, persona: Persona) -> str:
    """Return the section of the model card about the evaluation."""
    parts = []
    for part in tables(evaluation, persona):
        body = "\n".join(f"| {' | '.join(row)} |" for row in part.rows)
        head = f"| {part.title} | {' | '.join(part.sides)} | difference (95 % interval) |\n|---|---|---|---|"
        parts.append(f"{head}\n{body}")
    parts += [chosen] if (chosen := preferred(evaluation)) else []
    parts.append(" ".join(measured_on(evaluation)))
    body = "\n\n".join(parts)
    return (
        f"## Evaluation\n\n{body}\n\nIntervals are bootstrapped over groups of dialogues that resemble each other. "
        "`report.html` shows them.\n"
    )


def measured_on(evaluation: Evaluation) -> list[str]:
    """Return a sentence about the weights of each side; nothing for an evaluation of an older version."""
    weights = evaluation.weights
    if not weights:
        return []
    return [
        f"Likelihoods of the base: {weights['base']}; of the adapter: {weights['adapter']}.",
        f"Replies: {weights['replies']}.",
    ]


def _short(name: str) -> str:
    return name if len(name) <= 8 else f"{name[:7]}…"


def preferred(evaluation: Evaluation) -> str:
    """Return the result of the blind votes; an empty text without votes."""
    found = evaluation.preference
    if not found:
        return ""
    share, counts = found["share_for_adapter"], found["counts"]
    ours, theirs, whose = "the adapter", "the base", "The adapter's"
    if evaluation.against:
        ours, theirs, whose = evaluation.run, evaluation.against["run"], f"{evaluation.run}'s"
    return (
        f"Blind votes on {found['pairs']} pairs by {found['annotators']} "
        f"{'person' if found['annotators'] == 1 else 'people'}: {counts['adapter']} for {ours}, "
        f"{counts['base']} for {theirs}, {counts['same']} alike, {counts['neither']} for neither. {whose} share, "
        f"with ties counting half, is {share['value']:.0%}{_spread(share)}."
    )


def _spread(share: dict[str, Any]) -> str:
    return "" if share["low"] is None else f" ({share['low']:.0%} to {share['high']:.0%})"


def tables(evaluation: Evaluation, persona: Persona) -> Iterator[Table]:
    """Yield the tables of an evaluation: likelihoods, the same by kind and language, replies, and the other run."""
    yield from _likelihoods(evaluation.eval, "eval dialogues", persona)
    if rows := list(_by(evaluation.eval, persona)):
        yield Table("nll per reply character, eval dialogues", rows)
    yield from _likelihoods(evaluation.held_out, "held-out prompts with their references", persona)
    yield from _replies(evaluation.replies, "held-out prompts answered", persona)
    yield from _replies(evaluation.eval_replies, "eval dialogues answered", persona)
    if rows := list(_passport(evaluation)):
        yield Table("passport (shown where it orders known voices right)", rows)
    if beside := evaluation.against:
        sides = beside["run"], evaluation.run
        yield from _likelihoods(beside["eval"], "eval dialogues, two runs", persona, sides)
        yield from _likelihoods(beside["held_out"], "held-out references, two runs", persona, sides)
        yield from _replies(beside["replies"], "prompts answered, two runs", persona, sides)


def _likelihoods(part: dict[str, Any], name: str, persona: Persona, sides: tuple[str, str] = SIDES) -> Iterator[Table]:
    if not part.get("figures"):
        return
    rows = [_row(m, persona, part["figures"][m.key]) for m in LIKELIHOOD_METRICS if m.key in part["figures"]]
    if "loss" in part["figures"]:
        base, adapter = (f"{part[side]['perplexity']:.1f}" for side in SIDES)
        rows.append(("perplexity", base, adapter, ""))
    groups = f" in {part['groups']} groups" if part.get("groups", part["rows"]) != part["rows"] else ""
    yield Table(f"{part['rows']} {name}{groups}", rows, sides)


def _by(part: dict[str, Any], persona: Persona) -> Iterator[Row]:
    """Yield a row for each kind and each language, where there are at least two of them."""
    metric = LIKELIHOOD_METRICS[0]
    for values in part.get("by", {}).values():
        for value, own in values.items() if len(values) > 1 else ():
            _, *cells = _row(metric, persona, own["figures"][metric.key])
            yield (f"{value} ({own['rows']} dialogues)", cells[0], cells[1], cells[2])


def _replies(part: dict[str, Any], name: str, persona: Persona, sides: tuple[str, str] = SIDES) -> Iterator[Table]:
    if not part.get("prompts"):
        return
    rows = [_row(m, persona, part["figures"][m.key]) for m in REPLY_METRICS if m.key in part["figures"]]
    for metric in SET_METRICS:
        base, adapter = (_value(metric, part[side][metric.key]) for side in SIDES)
        rows.append((metric.title(persona), base, adapter, ""))
    yield Table(f"{part['prompts']} {name}", rows, sides)


def _passport(evaluation: Evaluation) -> Iterator[Row]:
    """Yield a row for each figure of the passport. The last column has the known voices, or why it is not shown."""
    for entry in (evaluation.passport or {}).get("figures", ()):
        metric = Metric(key=entry["key"], label=entry["label"], percent=entry["percent"], digits=entry["digits"])
        if entry["why_not"]:
            yield entry["label"], "–", "–", f"not shown: {entry['why_not']}"
            continue
        shown = {name: _value(metric, figure["value"]) for name, figure in entry["voices"].items()}
        known = {"author": "the author", "speaker": "another speaker"}
        others = [f"{name} {shown[key]}" for key, name in known.items() if key in shown]
        yield entry["label"], shown.get("base", "–"), shown.get("adapter", "–"), ", ".join(others)
        drift = entry["details"].get("turns", {})
        if drift:
            slope = _value(metric, entry["details"]["slope_of_ten_turns"]["value"], "+")
            at = ", ".join(f"turn {turn} {_value(metric, figure['value'])}" for turn, figure in drift.items())
            yield "  the same over scripted dialogues", "–", "", f"{at}; {slope} a ten turns"


def _row(metric: Metric, persona: Persona, figures: dict[str, Any]) -> Row:
    base, adapter = (_value(metric, figures[side]["value"]) for side in SIDES)
    change, label = figures["difference"], metric.title(persona)
    if change["value"] is None:
        return label, base, adapter, ""
    if change["low"] is None:
        return label, base, adapter, _value(metric, change["value"], "+")
    low, high = _value(metric, change["low"], "+"), _value(metric, change["high"], "+")
    return label, base, adapter, f"{_value(metric, change['value'], '+')} ({low} to {high}){_verdict(metric, change)}"


def _verdict(metric: Metric, change: dict[str, Any]) -> str:
    """Return the verdict of an interval that excludes zero; an empty text otherwise."""
    if not metric.better or change["low"] is None or change["low"] <= 0 <= change["high"]:
        return ""
    return " better" if change["value"] * metric.better > 0 else " WORSE"


def _value(metric: Metric, value: float | None, sign: str = "") -> str:
    if value is None:
        return "–"
    if metric.percent:
        return f"{value * 100:{sign}.0f} {'pp' if sign else '%'}"
    return f"{value:{sign}.{metric.digits}f}"
