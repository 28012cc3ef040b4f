"""An evaluation as two pages that a double click opens: ``report.html``, and ``ab.html`` with ``ab.js`` beside it.

Each is whole in itself, fetches nothing and lets no script in but ``ab.js`` (content security policy); every text of a
model or a corpus is escaped by Jinja.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from train.evaluation import text, votes
from train.evaluation.metrics import MEASURES

WEB = Path(__file__).parent / "web"
WIDTH = 180  # of a chart's plot, in its own units


def pages(content: dict[str, Any], character: str, run_folder: Path) -> dict[str, str]:
    """Return {file name: text}. The loss curve of ``run_folder`` is put into the report where there is one."""
    style = (WEB / "evaluation.css").read_text(encoding="utf-8")
    curve = run_folder / "loss_curve.png"
    common = {
        "style": style,
        # By its hash, so that no other style is let in either.
        "style_hash": base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        "character": character,
        "run": content["run"],
        "page": content["page"],
    }
    report = (
        _templates()
        .get_template("report.html")
        .render(
            common,
            content=content,
            parts=list(text.parts(content)),
            charts=charts(content),
            preferred=text.preferred(content),
            curve=base64.b64encode(curve.read_bytes()).decode() if curve.is_file() else None,
        )
    )
    pairs = [
        {"id": a["id"], "turns": a["turns"], "sides": [a["adapter"], a["base"]] if ours else [a["base"], a["adapter"]]}
        for a in content["answers"]
        for ours in [votes.adapter_is_a(content["page"], a["id"])]
    ]
    blind = _templates().get_template("ab.html").render(common, pairs=pairs)
    return {"report.html": report, "ab.html": blind, "ab.js": (WEB / "ab.js").read_text(encoding="utf-8")}


def charts(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the charts draw: shares from 0 to 100 %, a bar and its interval for base and adapter."""
    found = []
    figures = content["replies"]["figures"] if content["replies"]["prompts"] else {}
    shares = [(m.label, figures[m.key], m.better) for m in MEASURES if m.percent and m.key in figures]
    shares += [("ROUGE-L by syllables", figures["rouge_l"], 1)] if figures else []
    for label, figure, better in shares:
        if figure["base"]["value"] is not None and figure["adapter"]["value"] is not None:
            bars = [_bar(who, figure[who], 1.0) for who in ("base", "adapter")]
            found.append({"label": label, "bars": bars, "better": better})
    likelihood = content["eval"]["figures"]["reply_nll_per_char"]
    top = max(likelihood[who]["high"] or likelihood[who]["value"] for who in ("base", "adapter"))
    bars = [_bar(who, likelihood[who], top, digits=3) for who in ("base", "adapter")]
    return [{"label": "nll per reply character, eval split", "bars": bars, "better": -1}, *found]


def _bar(who: str, figure: dict[str, Any], top: float, digits: int | None = None) -> dict[str, Any]:
    scale = WIDTH / (top or 1.0)
    value = figure["value"]
    low, high = (value if figure[end] is None else figure[end] for end in ("low", "high"))
    return {
        "who": who,
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
