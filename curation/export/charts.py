"""The two charts of the card, drawn without a display. Same rows, same bytes (with the same matplotlib)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.contracts.rows import ChatRow
from curation.export.exported_rows import SIDES, replies
from curation.record import KINDS

# The names of the kinds in cards, charts and tables.
KIND_NAMES = {"persona": "Persona", "quote": "Quotes", "conversation": "Conversations", "generic_qa": "Generic QA"}
_COLOURS = {"train": "#3b6ea8", "eval": "#e0a040"}


def draw(rows: Mapping[str, Sequence[ChatRow]], folder: Path) -> None:
    """Draw composition.png and reply_length.png into ``folder``; ``rows`` are the chat rows by side."""
    folder.mkdir(parents=True, exist_ok=True)
    _save(_composition(rows), folder / "composition.png")
    _save(_lengths(rows), folder / "reply_length.png")


def _composition(rows: Mapping[str, Sequence[ChatRow]]) -> Any:
    kinds = [k for k in KINDS if any(row["kind"] == k for side in SIDES for row in rows[side])]
    figure, axes = _figure(1.25 + 0.55 * len(kinds))
    left = [0] * len(kinds)
    for side in SIDES:
        widths = [sum(row["kind"] == k for row in rows[side]) for k in kinds]
        axes.barh([KIND_NAMES[k] for k in kinds], widths, left=left, color=_COLOURS[side], label=side)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    bars: Any = axes.containers[-1]
    axes.bar_label(bars, labels=[f"{n:,}" for n in left], padding=3)
    axes.set_xlim(0, 1.12 * max(left, default=1))  # margins() adds no space beside bars of width 0
    axes.invert_yaxis()
    axes.set_title("Samples by kind")
    axes.set_xlabel("samples")
    _whole_numbers(axes.xaxis)
    _legend(axes)
    return figure


def _lengths(rows: Mapping[str, Sequence[ChatRow]]) -> Any:
    lengths = [[len(reply) for row in rows[side] for reply in replies(row)] for side in SIDES]
    figure, axes = _figure(2.85)
    axes.hist(lengths, bins=40, stacked=True, color=[_COLOURS[s] for s in SIDES], label=list(SIDES))
    axes.set_title("Length of replies")
    axes.set_xlabel("characters in a reply")
    axes.set_ylabel("replies")
    _whole_numbers(axes.yaxis)
    _legend(axes)
    return figure


def _figure(height: float) -> tuple[Any, Any]:
    """Return a figure of 7 inches by ``height`` inches, with margins that fit the longest label.

    The margins are fixed because a layout engine would draw everything twice.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, height))
    figure.subplots_adjust(left=0.17, right=0.87, top=1 - 0.36 / height, bottom=0.55 / height)
    return figure, figure.subplots()


def _whole_numbers(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def _legend(axes: Any) -> None:
    """Put the legend beside the bars, where it does not cover them."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def _save(figure: Any, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    FigureCanvasAgg(figure)
    # Without the software version in its metadata, a picture depends only on the data and on how the library draws.
    figure.savefig(path, dpi=110, metadata={"Software": None})
