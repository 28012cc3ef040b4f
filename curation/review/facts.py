"""The review figures of an export's manifest and card: the log's position, verdicts, annotators, agreement.

Pure: events of the review log in, plain figures out. Annotators are counted and never named, because a card is public.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from curation.contracts.manifest import Agreement, AuditFacts, ReviewFacts
from curation.review.agreement import krippendorff, observed, votes
from curation.review.audit import approved_by_trust, figures, in_source, read_audits
from curation.review.decisions import DECISIVE, Decision, Log, ordered, standing
from curation.review.records import Record

# How the reason of an event begins that an action on many samples made: no one read each of them for it.
REPLACED = "find and replace"
WHOLE_FILTER = "whole filter"


def position(log: Log) -> dict[str, Any]:
    """Return the number of events in a log and a digest of their ids. Logs with the same events have one position.

    Times are left out on purpose: import approves trusted samples with ids that follow from the samples, at the time
    when it runs. Two fresh clones must produce the same export.
    """
    ids = sorted(d.id for d in ordered(log.decisions))
    return {"events": len(ids), "digest": hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]}


def review(decisions: Iterable[Decision], ids: Collection[str]) -> ReviewFacts:
    """Return the review figures of the samples with these ids: standing verdicts, annotators and their agreement.

    The numbers of approved and waiting samples follow from the samples' states; the caller adds them.
    """
    by_sample: dict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.sample_id in ids:
            by_sample[decision.sample_id].append(decision)
    last: dict[str, dict[str, str]] = {}  # sample → annotator → the annotator's last verdict
    by_import: set[str] = set()
    unread: set[str] = set()
    for sample, events in by_sample.items():
        for event in standing(events):
            if event.client == "import":
                by_import.add(sample)
            elif event.verdict in DECISIVE and event.reason.startswith((REPLACED, WHOLE_FILTER)):
                unread.add(sample)
            elif event.verdict in DECISIVE:
                last.setdefault(sample, {})[event.annotator] = event.verdict
    facts = ReviewFacts(
        seen_by_a_person=len(last),
        only_vouched_for_by_the_author=len(by_import - last.keys()),
        annotators=len({name for verdicts in last.values() for name in verdicts}),
        verdicts=dict(sorted(Counter(v for verdicts in last.values() for v in verdicts.values()).items())),
        agreement=blind_agreement(event for events in by_sample.values() for event in events),
    )
    only_at_once = len(unread - by_import - last.keys())
    return facts.model_copy(update={"decided_unread": only_at_once}) if only_at_once else facts


def audits(records: Iterable[Record], decisions: Iterable[Decision], sources: Mapping[str, str]) -> list[AuditFacts]:
    """Return the figures of the complete audits, newest first, for an export.

    ``sources`` gives the source file of each exported row that holds its imported text. A row counts as it was drawn
    if it is one of these and approved by trust alone.
    """
    found = read_audits(records)
    if not found:
        return []
    by_sample: dict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.sample_id in sources:
            by_sample[decision.sample_id].append(decision)
    trusted = {sample for sample, events in by_sample.items() if approved_by_trust(events)}
    complete = []
    for audit in found:
        draw = audit.draw
        # A row was in the frame if it was approved by trust alone then too, and lay where the draw looked.
        drawable = {
            sample
            for sample in trusted
            if in_source(sources[sample], draw.source)
            and approved_by_trust(event for event in by_sample[sample] if event.time <= draw.time)
        }
        facts = figures(audit, trusted)
        if facts.bound is not None:
            complete.append(facts.model_copy(update={"later": len(trusted - drawable)}))
    return complete[::-1]


def blind_agreement(events: Iterable[Decision]) -> Agreement | None:
    """Return the agreement of blind verdicts as a card prints it, or None if no sample was judged blind by two people.

    ``share`` is the share of equal pairs of verdicts on one sample, ``alpha`` is Krippendorff's for nominal data. Alpha
    is None where all verdicts are the same, because chance agreement is then certain too. Both have three decimals.
    """
    units = votes(events)
    share = observed(units)
    if share is None:
        return None
    alpha = krippendorff(units)
    rounded = None if alpha is None else round(alpha, 3)
    return Agreement(samples=len(units), share=round(share, 3), alpha=rounded, blind=True)
