"""What an export's manifest and card say about its review: where the log stood, who decided, how far people agreed.

Pure: the log's events in, plain figures out. Annotators are counted, never named: a card is public.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from curation.review.decisions import Decision, Log, ordered

_VERDICTS = ("approve", "rewrite", "reject")


def position(log: Log) -> dict[str, Any]:
    """Return how many events a log holds and a digest of their ids: two logs that say the same have one position.

    Times are left out on purpose. Import approves trusted samples under ids that follow from the samples, at whatever
    time it runs, so that two fresh clones must come to the same export.
    """
    ids = sorted(d.id for d in ordered(log.decisions))
    return {"events": len(ids), "digest": hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]}


def review(decisions: Iterable[Decision], ids: Collection[str]) -> dict[str, Any]:
    """Return the review figures of the samples with these ids: verdicts that stand, people, and their agreement."""
    last: dict[str, dict[str, Decision]] = defaultdict(dict)  # sample → annotator → the verdict that stands
    events = [d for d in ordered(decisions) if d.sample_id in ids]
    undone = {d.reason for d in events if d.verdict == "undo"}
    for d in events:
        if d.verdict in _VERDICTS and d.client != "import" and d.id not in undone:
            last[d.sample_id][d.annotator] = d
    by_import = {d.sample_id for d in events if d.client == "import" and d.id not in undone}
    verdicts = [[d.verdict for d in people.values()] for people in last.values()]
    return {
        "seen_by_a_person": len(last),
        "only_vouched_for_by_the_author": len(by_import - last.keys()),
        "annotators": len({name for people in last.values() for name in people}),
        "verdicts": dict(sorted(Counter(v for unit in verdicts for v in unit).items())),
        "agreement": agreement(verdicts),
    }


def agreement(units: Sequence[Sequence[str]]) -> dict[str, Any] | None:
    """Return how far verdicts on the same sample agree, or None where nobody judged what another judged.

    ``units`` holds the verdicts on each sample. ``share`` is the mean share of agreeing pairs; ``alpha`` is
    Krippendorff's for nominal data (K. Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011), None where
    everybody gave the same verdict everywhere, because chance agreement is then certain too.
    """
    shared = [Counter(unit) for unit in units if len(unit) > 1]
    if not shared:
        return None
    total: Counter[str] = sum(shared, Counter())
    n = total.total()
    observed = sum(_disagreeing(c) / (c.total() - 1) for c in shared) / n
    expected = _disagreeing(total) / (n * (n - 1))
    share = sum(1 - _disagreeing(c) / (c.total() * (c.total() - 1)) for c in shared) / len(shared)
    alpha = round(1 - observed / expected, 3) if expected else None
    return {"samples": len(shared), "share": round(share, 3), "alpha": alpha}


def _disagreeing(counts: Counter[str]) -> int:
    """Return the number of ordered pairs of unlike verdicts."""
    return counts.total() ** 2 - sum(n * n for n in counts.values())
