"""``loss_curve.png``: training and validation loss over the dialogues seen, redrawn at each evaluation."""

from __future__ import annotations

import io
import math
from pathlib import Path

from curation.files import write_atomically
from train.loop.callbacks import History


def draw(history: History, file: Path, title: str) -> None:
    """Draw training and validation loss over the training rows seen, and mark the best evaluation."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)  # without pyplot: no display, no global state
    axes = figure.add_subplot()
    rows = [s.rows for s in history.steps]
    losses = [s.loss for s in history.steps]
    axes.plot(rows, losses, color="#9db8d9", linewidth=0.9, label="training, each step")
    if len(losses) >= 10:
        axes.plot(rows, _smooth(losses), color="#1f5fa8", linewidth=2, label="training, smoothed")
    seen = [0, *(e.rows for e in history.evaluations)]
    evaluated = [history.base, *(e.loss for e in history.evaluations)]
    axes.plot(seen, evaluated, "o-", color="#d1662a", linewidth=2, label="validation")
    for best in (e for e in history.evaluations if e.step == history.best_step):
        axes.annotate(
            f"best: {best.loss:.2f}",
            (best.rows, best.loss),
            xytext=(0, -16),
            textcoords="offset points",
            ha="right",
            color="#8a3d12",
            bbox={
                "facecolor": "white",
                "alpha": 0.85,
                "edgecolor": "none",
                "pad": 1,
            },  # the curves pass behind the text
        )
    for epoch in range(1, math.ceil(max(rows, default=0) / history.rows)):
        axes.axvline(epoch * history.rows, color="#bbbbbb", linewidth=0.8, linestyle=":")
    axes.set_xlim(left=0)
    axes.set_xlabel(f"training dialogues seen ({history.rows:,} in an epoch)")
    axes.set_ylabel("loss per reply token (nats)")
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(axis="y", color="#eeeeee")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture)
    write_atomically(file, picture.getvalue())  # a viewer may have the old file open


def _smooth(values: list[float], weight: float = 0.8) -> list[float]:
    """Exponential moving average, corrected for its start (Kingma & Ba 2015, section 3)."""
    smoothed, average = [], 0.0
    for count, value in enumerate(values, 1):
        average = weight * average + (1 - weight) * value
        smoothed.append(average / (1 - weight**count))
    return smoothed
