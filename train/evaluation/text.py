"""An evaluation as text: the table on the screen and the section of the model card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from curation.contracts import Evaluation
from curation.persona import Persona
from train.evaluation.metrics import LIKELIHOOD_METRICS, REPLY_METRICS, SET_METRICS, Metric

SIDES = ("base", "adapter")
Row = tuple[str, str, str, str]  # label, base, adapter, difference with its interval


def table(evaluation: Evaluation, persona: Persona) -> str:
    """Return the figures for the screen, base and adapter side by side."""
    lines = [f"Run {evaluation.run} on dataset {evaluation.dataset['version']}"]
    for title, rows in parts(evaluation, persona):
        lines += ["", f"  {title:<44}{'base':>8}{'adapter':>9}   difference (95 %)"]
        lines += [f"  {label:<44}{base:>8}{adapter:>9}   {change}" for label, base, adapter, change in rows]
    if chosen := preferred(evaluation):
        lines += ["", f"  {chosen}"]
    return "\n".join(lines)


def section(evaluation: Evaluation, persona: Persona) -> str:
    """Return the section of the model card about the evaluation."""
    tables = []
    for title, rows in parts(evaluation, persona):
        body = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        tables.append(f"| {title} | base | adapter | difference (95 % interval) |\n|---|---|---|---|\n{body}")
    tables += [chosen] if (chosen := preferred(evaluation)) else []
    body = "\n\n".join(tables)
    return f"## Evaluation\n\n{body}\n\nIntervals are bootstrapped over dialogues. `report.html` shows them.\n"


def preferred(evaluation: Evaluation) -> str:
    """Return the result of the blind votes; an empty text without votes."""
    found = evaluation.preference
    if not found:
        return ""
    share, counts = found["share_for_adapter"], found["counts"]
    return (
        f"Blind votes on {found['pairs']} pairs by {found['annotators']} "
        f"{'person' if found['annotators'] == 1 else 'people'}: {counts['adapter']} for the adapter, "
        f"{counts['base']} for the base, {counts['same']} alike, {counts['neither']} for neither. The adapter's share, "
        f"with ties counting half, is {share['value']:.0%}{_spread(share)}."
    )


def _spread(share: dict[str, Any]) -> str:
    return "" if share["low"] is None else f" ({share['low']:.0%} to {share['high']:.0%})"


def parts(evaluation: Evaluation, persona: Persona) -> Iterator[tuple[str, list[Row]]]:
    """Yield the title and the rows of each table."""
    for part, name in (
        (evaluation.eval, "eval dialogues"),
        (evaluation.held_out, "held-out prompts with their references"),
    ):
        if part.get("figures"):
            base, adapter = (f"{part[side]['perplexity']:.1f}" for side in SIDES)
            rows = [_row(m, persona, part["figures"][m.key]) for m in LIKELIHOOD_METRICS]
            yield f"{part['rows']} {name}", [("perplexity", base, adapter, ""), *rows]
    for part, name in (
        (evaluation.replies, "held-out prompts answered"),
        (evaluation.eval_replies, "eval dialogues answered"),
    ):
        if not part["prompts"]:
            continue
        rows = [_row(m, persona, part["figures"][m.key]) for m in REPLY_METRICS if m.key in part["figures"]]
        for metric in SET_METRICS:
            base, adapter = (_value(metric, part[side][metric.key]) for side in SIDES)
            rows.append((metric.title(persona), base, adapter, ""))
        yield f"{part['prompts']} {name}", rows


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
