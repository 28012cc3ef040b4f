"""The dataset card (the export's README.md) and its charts. Reads a manifest; knows nothing of sources or the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.record import KINDS, Sample

_KIND_NAMES = {"persona": "Persona", "quote": "Quotes", "conversation": "Conversations", "generic_qa": "Generic QA"}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LICENCE = {"own": "cc-by-4.0"}


def text(manifest: Mapping[str, Any]) -> str:
    """Return the card: the Hub's YAML block, then what a reader wants to know, in order of interest."""
    from huggingface_hub import DatasetCardData

    counts = manifest["counts"]
    total = sum(side["samples"] for side in counts.values())
    name = manifest["persona"]["name"]
    languages = Counter[str]()
    rights: set[str] = set()
    for side in counts.values():
        languages.update(side["language"])
        rights |= set(side["rights"])
    block = DatasetCardData(
        language=[code for code, _ in languages.most_common()],
        license=_LICENCE.get(*rights) if rights == {"own"} else "other",
        pretty_name=f"{name}: a character's lines",
        size_categories=[next((label for limit, label in _SIZES if total < limit), "n>1M")],
        task_categories=["text-generation"],
        tags=["persona", "roleplay", "conversational"],
        configs=[
            {
                "config_name": config,
                "data_files": [{"split": s, "path": f"{config}/{s}.parquet"} for s in ("train", "eval")],
                **({"default": True} if config == "chat" else {}),
            }
            for config in ("chat", "instruct")
        ],
    )
    return f"---\n{block.to_yaml()}\n---\n\n" + "\n".join(_sections(manifest, name, total))


def _sections(manifest: Mapping[str, Any], name: str, total: int) -> list[str]:
    train, evaluation = manifest["counts"]["train"], manifest["counts"]["eval"]
    kinds = {k: train["kind"].get(k, 0) + evaluation["kind"].get(k, 0) for k in KINDS}
    lines = [
        f"# {name}: a character's lines",
        "",
        f"{total:,} reviewed samples in the voice of {name}. Every line of the character was approved by a person; "
        "lines of others are context and never a target.",
        "",
        "| Kind | Train | Eval | Total | Share |",
        "|---|--:|--:|--:|--:|",
    ]
    for kind, count in kinds.items():
        a, b = train["kind"].get(kind, 0), evaluation["kind"].get(kind, 0)
        lines.append(f"| {_KIND_NAMES[kind]} | {a:,} | {b:,} | {count:,} | {count / max(total, 1):.1%} |")
    lines += [
        f"| **All** | **{train['samples']:,}** | **{evaluation['samples']:,}** | **{total:,}** | |",
        "",
        f"{train['multi_turn'] + evaluation['multi_turn']:,} samples are multi-turn. A reply has "
        f"{train['mean_reply_chars']:g} characters on average.",
        "",
        "```mermaid",
        "pie title Composition",
        *(f'  "{_KIND_NAMES[kind]}" : {count}' for kind, count in kinds.items() if count),
        "```",
        "",
        "![Composition](charts/composition.png)",
        "![Length of replies](charts/reply_length.png)",
        "",
        "## How to load it",
        "",
        "```python",
        "from datasets import load_dataset",
        'load_dataset("OWNER/NAME", "chat")      # messages: role, content, name',
        'load_dataset("OWNER/NAME", "instruct")  # instruction, input, output',
        "```",
        "",
        "## How it was made",
        "",
        *_made(manifest),
    ]
    return [*lines, ""]


def _made(manifest: Mapping[str, Any]) -> list[str]:
    duplicates, split = manifest["duplicates"], manifest["split"]
    leaks = sum(split.get("leakage", {}).values())
    return [
        f"- Imported: {_listed(manifest['imported'])}.",
        f"- Set aside with a reason: {_listed(manifest['rejected'])}.",
        f"- Exact duplicates merged: {duplicates['exact']:,}. Near-duplicates flagged for review, never dropped by "
        f"themselves: {duplicates['near']:,} samples.",
        f"- Flags: {_listed(manifest['flagged'])}.",
        f"- Review: {_listed(manifest['review'])}.",
        f"- Split: near-duplicates and samples of one scene stay on one side. Pairs across the border: {leaks}.",
        "",
        "## Limits",
        "",
        "The character is rude on purpose and wrong with confidence. Flags come from rules and do not replace "
        "reading. Charts and tables count samples, not quality.",
        "",
        "## Rights",
        "",
        "The lines are original fan writing; the character belongs to its owners, with whom this dataset is not "
        "affiliated. Each row carries the rights of its source in the column `rights`.",
        "",
        "## How to cite",
        "",
        f"Version `{manifest['version']}` of this dataset, with the address of this repository.",
    ]


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{value:,} {key.replace('_', ' ')}" for key, value in counts.items()) or "none"


def draw_charts(rows: Mapping[str, Sequence[Sample]], folder: Path) -> None:
    """Draw composition.png and reply_length.png into ``folder``."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    kinds = [k for k in KINDS if any(s.kind == k for samples in rows.values() for s in samples)]
    lengths = [len(reply) for samples in rows.values() for s in samples for reply in s.replies]
    figure = Figure(figsize=(7, 0.6 + 0.6 * max(len(kinds), 1)), layout="constrained")
    axes = figure.subplots()
    left = [0] * len(kinds)
    for side, colour in (("train", "#3b6ea8"), ("eval", "#e0a040")):
        widths = [sum(s.kind == k for s in rows[side]) for k in kinds]
        axes.barh([_KIND_NAMES[k] for k in kinds], widths, left=left, color=colour, label=side)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.bar_label(axes.containers[-1], labels=[f"{n:,}" for n in left], padding=3) if kinds else None
    axes.margins(x=0.12)
    axes.invert_yaxis()
    axes.set_xlabel("samples")
    axes.legend(loc="lower right", frameon=False)
    _save(figure, FigureCanvasAgg, folder / "composition.png")
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.hist(lengths, bins=40, color="#3b6ea8")
    axes.set_xlabel("characters in a reply")
    axes.set_ylabel("replies")
    _save(figure, FigureCanvasAgg, folder / "reply_length.png")


def _save(figure: Any, canvas: Any, path: Path) -> None:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    canvas(figure)
    # No software version in the picture, so that its bytes depend on the data and the library alone.
    figure.savefig(path, dpi=110, metadata={"Software": None})
