"""The figures of `inosuke review status`, as plain objects and as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from annotations.store.database import store_url
from annotations.store.log_sync import refresh
from annotations.store.projection import STATUSES
from annotations.store.review_store import ReviewStore
from annotations.team.times import paces
from curation.folders import Folders
from curation.persona import load_persona
from curation.review.disagreements import waiting_line


def review_status(persona_file: Path) -> dict[str, Any]:
    """Return counts by kind and status, verdicts and seconds by annotator, and how many samples wait for whom.

    ``unknown_samples`` are in the log and in no queue; ``conflicts`` and ``disputes`` wait for an adjudicator.
    """
    persona = load_persona(persona_file)
    store = ReviewStore(store_url(persona.root))
    try:
        refresh(store, Folders(persona.root), persona.review)
        waiting = store.queue.waiting()
        return {
            "kinds": store.queue.counts(),
            "annotators": dict(store.statistics.by_annotator()),
            "seconds": [pace.to_json() for pace in paces(store)],
            "unknown_samples": store.statistics.unknown_samples(),
            "conflicts": waiting.conflicts,
            "disputes": waiting.disputes,
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
    for pace in result["seconds"]:
        if not pace["kind"]:
            lines.append(f"{pace['annotator']}: {pace['seconds']:g} s a verdict (median of {pace['verdicts']:,})")
    if result["unknown_samples"]:
        lines.append(f"{result['unknown_samples']:,} samples of the log are not in the queue (their events are kept)")
    if result["conflicts"] or result["disputes"]:
        lines.append(waiting_line(result["conflicts"], result["disputes"]))
    lines += ["", "Next: make review"]
    return "\n".join(lines)
