"""What people decided about a text goes on to its edit, as far as the edit leaves the words alone. Pure.

An edited row is another sample. Where no word differs (marks, capitals, another spelling), what was approved stays
approved, with all its events. Where words differ, a verdict on the old text is none on the new one, and an edit of what
was rejected waits in any case: a flag tells the annotator what was decided, and keeps the author's trust from silently
overruling a rejection or a rewrite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from curation.cleaning.typed_text import clean_typed
from curation.record import Flag, Message, Sample
from curation.review.decisions import DECISIVE, Decision, fold, standing
from curation.review.events import id_from


@dataclass(frozen=True, slots=True)
class Carried:
    """The events to add for an edited sample, and the flag for its annotator; either may be missing."""

    events: tuple[Decision, ...] = ()
    flag: Flag | None = None


def by_people(events: Sequence[Decision]) -> list[Decision]:
    """Return the standing verdicts that import did not make."""
    return [e for e in standing(events) if e.verdict in DECISIVE and e.client != "import"]


def carry(sample: Sample, old: str, events: Sequence[Decision], score: float, same: bool, time: str) -> Carried:
    """Return what the events of the text ``old`` mean for its edit.

    ``score`` is the share of equal words, 0 to 100; ``same`` means that none differs. ``time`` is for an event that
    this makes; events that are copied keep theirs.
    """
    people = by_people(events)
    if not people:
        return Carried()
    state = fold(events)[old]
    if same and state.status == "approved":
        return Carried(events=_copies([e for e in events if e.client != "import"], sample.id))
    who = ", ".join(dict.fromkeys(e.annotator for e in people))
    if state.status == "pending":
        return Carried()
    if state.status == "rejected":
        return Carried(flag=Flag("review_outdated", f"{score:.1f} like {old}, which {who} rejected"))
    if state.messages is None:
        return Carried(flag=Flag("edited_since_review", f"{score:.1f} like {old}, which {who} approved"))
    if _texts(state.messages) == _texts(sample.messages):
        return Carried(events=(_taken_over(sample.id, old, who, time),))
    words = " / ".join(m.content for m in state.messages if m.role == "assistant")
    return Carried(flag=Flag("review_outdated", f"{score:.1f} like {old}, which {who} rewrote: {words}"))


def _copies(events: Sequence[Decision], sample_id: str) -> tuple[Decision, ...]:
    """Return the events as another sample's, with ids that follow from theirs, so that two clones make the same."""
    ids = {e.id: id_from(f"{e.id} for {sample_id}") for e in events}

    def copy(event: Decision) -> Decision:
        after = event.after
        return replace(
            event,
            id=ids[event.id],
            sample_id=sample_id,
            reason=ids.get(event.reason, event.reason) if event.verdict == "undo" else event.reason,
            after=None if after is None else " ".join(ids[i] for i in after.split() if i in ids),
            batch="",
            seconds=0.0,
        )

    return tuple(map(copy, events))


def _taken_over(sample_id: str, old: str, who: str, time: str) -> Decision:
    return Decision(
        id=id_from(f"the source has the rewrite of {old}: {sample_id}"),
        sample_id=sample_id,
        revision=0,
        verdict="approve",
        messages=None,
        reason=f"the source now has what {who} rewrote {old} to",
        annotator=who,
        client="import",
        time=time,
    )


def _texts(messages: tuple[Message, ...]) -> list[tuple[str, str]]:
    return [(m.role, m.content) for m in clean_typed(messages)[0] or ()]
