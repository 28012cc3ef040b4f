"""The figures of `inosuke review status`, as plain objects and as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from annotations.store.database import store_url
from annotations.store.log_sync import refresh
from annotations.store.projection import STATUSES
from annotations.store.review_store import ReviewStore
from curation.folders import Folders
from curation.persona import load_persona


def review_status(persona_file: Path) -> dict[str, Any]:
    """Return counts by kind and status, verdicts by annotator, and how many samples of the log are in no queue."""
    persona = load_persona(persona_file)
    store = ReviewStore(store_url(persona.root))
    try:
        refresh(store, Folders(persona.root), persona.review)
        return {
            "kinds": store.queue.counts(),
            "annotators": dict(store.statistics.by_annotator()),
            "unknown_samples": store.statistics.unknown_samples(),
        }
    finally:
        store.close()


def status_table(result: dict[str, Any]) -> str:
    """Return the status as text for the terminal."""
    lines = [f"{'':<14}" + "".join(f"{s:>10}" for s in STATUSES)]
    for kind, by_status in result["kinds"].items():
        lines.append(f"{kind:<14}" + "".join(f"{by_status.get(s, 0):>10,}" for s in STATUSES))
    lines.append("")
    lines += [f"{name}: {n:,} verdicts" for name, n in sorted(result["annotators"].items())] or ["no verdicts yet"]
    if result["unknown_samples"]:
        lines.append(f"{result['unknown_samples']:,} samples of the log are not in the queue (their events are kept)")
    lines += ["", "Next: make review"]
    return "\n".join(lines)
