"""An evaluation as two pages that a double click opens: ``report.html``, and ``ab.html`` with ``ab.js`` beside it.

Each page is self-contained, fetches nothing and allows no script except ``ab.js`` (content security policy). Jinja
escapes every text of a model or a corpus.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from curation.contracts.evaluation import Evaluation
from curation.persona import Persona
from train.evaluation import text, votes
from train.evaluation.metrics import REPLY_METRICS
from train.evaluation.text import SIDES

WEB = Path(__file__).parent / "web"
WIDTH = 180  # of a chart's plot, in units of the SVG


def pages(evaluation: Evaluation, persona: Persona, run_folder: Path) -> dict[str, str]:
    """Return {file name: text}. The report includes the loss curve of ``run_folder`` if there is one."""
    style = (WEB / "evaluation.css").read_text(encoding="utf-8")
    curve = run_folder / "loss_curve.png"
    common = {
        "style": style,
        # The policy names the style by its hash, so that no other style is applied.
        "style_hash": base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        "character": persona.name,
        "run": evaluation.run,
        "page": evaluation.page,
    }
    report = (
        _templates()
        .get_template("report.html")
        .render(
            common,
            content=evaluation,
            tables=list(text.tables(evaluation, persona)),
            measured_on=text.measured_on(evaluation),
            charts=charts(evaluation, persona),
            preferred=text.preferred(evaluation),
            curve=base64.b64encode(curve.read_bytes()).decode() if curve.is_file() else None,
        )
    )
    pairs = [
        {"id": a.id, "turns": a.turns, "sides": [a.adapter, a.rival] if ours else [a.rival, a.adapter]}
        for a in evaluation.answers
        for ours in [votes.adapter_is_a(evaluation.page, a.id)]
    ]
    blind = _templates().get_template("ab.html").render(common, pairs=pairs, two_runs=evaluation.against is not None)
    return {"report.html": report, "ab.html": blind, "ab.js": (WEB / "ab.js").read_text(encoding="utf-8")}


def charts(evaluation: Evaluation, persona: Persona) -> list[dict[str, Any]]:
    """Return the charts: a bar with its interval for base and adapter. All but the first show shares, 0 to 100 %."""
    found = []
    figures = evaluation.replies["figures"] if evaluation.replies["prompts"] else {}
    for metric in REPLY_METRICS:
        figure = figures.get(metric.key) if metric.charted else None
        if figure is not None and all(figure[side]["value"] is not None for side in SIDES):
            bars = [_bar(side, figure[side], 1.0) for side in SIDES]
            found.append({"label": metric.title(persona), "bars": bars, "better": metric.better})
    likelihood = evaluation.eval["figures"]["reply_nll_per_char"]
    top = max(likelihood[side]["high"] or likelihood[side]["value"] for side in SIDES)
    bars = [_bar(side, likelihood[side], top, digits=3) for side in SIDES]
    return [{"label": "nll per reply character, eval split", "bars": bars, "better": -1}, *found]


def _bar(side: str, figure: dict[str, Any], top: float, digits: int | None = None) -> dict[str, Any]:
    scale = WIDTH / (top or 1.0)
    value = figure["value"]
    low, high = (value if figure[end] is None else figure[end] for end in ("low", "high"))
    return {
        "who": side,
        "width": round(value * scale, 1),
        "low": round(low * scale, 1),
        "high": round(high * scale, 1),
        "text": f"{value:.{digits}f}" if digits else f"{value:.0%}",
    }


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(WEB), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
