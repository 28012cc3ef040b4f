"""An evaluation as text: the table on the screen and the model card's part, from the content of ``evaluation.json``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from train.evaluation.metrics import MEASURES, Measure

LIKELIHOOD = (
    Measure("reply_nll_per_char", "nll per reply character", -1),
    Measure("loss", "loss per reply token", -1),
    Measure("end_of_turn_nll", "nll of the end of a turn", -1),
)
WHOLE = (
    ("bleu", "BLEU", 2),
    ("corpus_chrf", "chrF of the whole set", 1),
    ("distinct_1", "distinct-1", 2),
    ("distinct_2", "distinct-2", 2),
    ("mean_characters", "characters a reply", 0),
)


def table(content: dict[str, Any]) -> str:
    """Return the figures as a person reads them, base and adapter side by side."""
    lines = [f"Run {content['run']} on dataset {content['dataset']['version']}"]
    for title, rows in parts(content):
        lines += ["", f"  {title:<44}{'base':>8}{'adapter':>9}   difference (95 %)"]
        lines += [f"  {label:<44}{base:>8}{adapter:>9}   {change}" for label, base, adapter, change in rows]
    if chosen := preferred(content):
        lines += ["", f"  {chosen}"]
    return "\n".join(lines)


def section(content: dict[str, Any]) -> str:
    """Return the model card's part about the evaluation."""
    tables = []
    for title, rows in parts(content):
        body = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        tables.append(f"| {title} | base | adapter | difference (95 % interval) |\n|---|---|---|---|\n{body}")
    tables += [chosen] if (chosen := preferred(content)) else []
    body = "\n\n".join(tables)
    return f"## Evaluation\n\n{body}\n\nIntervals are bootstrapped over dialogues. `report.html` shows them.\n"


def preferred(content: dict[str, Any]) -> str:
    """Return the blind votes' outcome as a sentence; nothing without votes."""
    found = content.get("preference")
    if not found:
        return ""
    share, counts = found["share_for_adapter"], found["counts"]
    return (
        f"Blind votes on {found['pairs']} pairs by {found['annotators']} "
        f"{'person' if found['annotators'] == 1 else 'people'}: {counts['adapter']} for the adapter, "
        f"{counts['base']} for the base, {counts['same']} alike, {counts['neither']} for neither; the adapter's share, "
        f"ties counting half, is {share['value']:.0%}{_spread(share)}."
    )


def _spread(share: dict[str, Any]) -> str:
    return "" if share["low"] is None else f" ({share['low']:.0%} to {share['high']:.0%})"


def parts(content: dict[str, Any]) -> Iterator[tuple[str, list[tuple[str, str, str, str]]]]:
    """Yield each table's title and its rows: label, base, adapter, difference with its interval."""
    for key, name in (("eval", "eval dialogues"), ("held_out", "held-out prompts with their references")):
        if (part := content[key]).get("figures"):
            rows = [_row(m, part["figures"][m.key]) for m in LIKELIHOOD]
            perplexity = (f"{part[who]['perplexity']:.1f}" for who in ("base", "adapter"))
            yield f"{part['rows']} {name}", [("perplexity", *perplexity, ""), *rows]  # type: ignore[list-item]
    for key, name in (("replies", "held-out prompts answered"), ("eval_replies", "eval dialogues answered")):
        if not (part := content[key])["prompts"]:
            continue
        rows = [_row(m, part["figures"][m.key]) for m in MEASURES if m.key in part["figures"]]
        for figure, label, digits in WHOLE:
            rows.append((label, *(_number(part[who][figure], digits) for who in ("base", "adapter")), ""))  # type: ignore[arg-type]
        yield f"{part['prompts']} {name}", rows


def _row(measure: Measure, figures: dict[str, Any]) -> tuple[str, str, str, str]:
    shown = [_value(measure, figures[who]["value"]) for who in ("base", "adapter")]
    change = figures["difference"]
    if change["value"] is None:
        return measure.label, shown[0], shown[1], ""
    if change["low"] is None:
        return measure.label, shown[0], shown[1], _value(measure, change["value"], "+")
    low, high = _value(measure, change["low"], "+"), _value(measure, change["high"], "+")
    text = f"{_value(measure, change['value'], '+')} ({low} to {high}){_verdict(measure, change)}"
    return measure.label, shown[0], shown[1], text


def _verdict(measure: Measure, change: dict[str, Any]) -> str:
    """Say what an interval that leaves out zero means; nothing where it does not."""
    if not measure.better or change["low"] is None or change["low"] <= 0 <= change["high"]:
        return ""
    return " better" if change["value"] * measure.better > 0 else " WORSE"


def _value(measure: Measure, value: float | None, sign: str = "") -> str:
    if value is None:
        return "–"
    if measure.percent:
        return f"{value * 100:{sign}.0f} {'pp' if sign else '%'}"
    return f"{value:{sign}.1f}" if measure.key == "chrf" else f"{value:{sign}.3f}"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
