"""What trust decides: which samples import approves for their author, and which of those approvals it undoes. Pure.

In: samples, who vouches for them, the events so far. Out: the events to add to the review log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from curation.codes import blocks_approval
from curation.pipeline.sources import Voucher
from curation.record import Sample
from curation.review.decisions import DECISIVE, Decision, standing, trust_withdrawn, trusted_approval


def events(
    samples: Iterable[Sample],
    vouchers: Mapping[str, Voucher],
    others: Mapping[str, Sequence[str]],
    decisions: Iterable[Decision],
    now: str,
) -> list[Decision]:
    """Return the approvals and withdrawals to add to the log, none of which is in it.

    ``vouchers`` are by sample id, ``others`` are the ids that were merged into a sample. A flag that blocks also takes
    back an approval that import gave before the flag was known, as long as no person has judged the sample. When the
    flag is gone, import approves the sample again.
    """
    by_sample: dict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        by_sample[decision.sample_id].append(decision)
    new: list[Decision] = []
    for sample in samples:
        ids = (sample.id, *others.get(sample.id, ()))
        voucher = next((vouchers[i] for i in ids if i in vouchers), None)
        if voucher is None:
            continue
        known = by_sample.get(sample.id, [])
        if blocks_approval(sample.flags):
            new += [trust_withdrawn(event, now) for event in _approved_unread(known)]
        elif (times := _approvals_due(known)) is not None:
            new.append(trusted_approval(sample.id, voucher.author, voucher.folder, now, voucher.cut, times))
    return new


def _approved_unread(known: Collection[Decision]) -> list[Decision]:
    """Return import's approvals that stand alone: no person has judged the sample."""
    left = [event for event in standing(known) if event.verdict in DECISIVE]
    return left if all(event.client == "import" for event in left) else []


def _approvals_due(known: Collection[Decision]) -> int | None:
    """Return how many approvals import has given and undone, if it has to give one now; otherwise None.

    What a person undid stays undone.
    """
    given = {event.id for event in known if event.client == "import" and event.verdict == "approve"}
    taken = {event.reason for event in known if event.client == "import" and event.verdict == "undo"}
    return len(given) if given <= taken else None
