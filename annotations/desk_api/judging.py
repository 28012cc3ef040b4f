"""Record what the stage sends: verdicts, verdicts on a whole cluster, undos."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from annotations.desk_api.bodies import Cluster, Undo, Verdict
from annotations.desk_api.pairing import newest_on_a_pair
from annotations.dialogue_checks import UNFINISHED, check_messages
from annotations.store.types import BadVerdict, Item
from annotations.ui.sample.item_page import payload
from annotations.ui.session import Desk
from curation.codes import explain_flag
from curation.review.decisions import Verdict as Judgement


def verdict(desk: Desk, body: Verdict) -> dict[str, Any]:
    """Record a verdict; the same ``event_id`` again returns what it recorded. Raises what ``ReviewStore.decide`` does.

    Returns ``recorded``, the event's id, and ``item``, the sample as it is now, where the stage continues to show it.
    """
    messages = None if body.messages is None else tuple(turn.message() for turn in body.messages)
    if messages is not None:
        missing = [f for f in check_messages(messages, desk.persona) if f.code in UNFINISHED]
        if missing:
            raise BadVerdict(explain_flag(missing[0].code, desk.language))
    item = desk.store.queue.item(body.sample, desk.who)
    draft = desk.store.drafts.get(body.sample, desk.who)
    decision = desk.store.decide(
        body.sample,
        desk.who,
        body.verdict,
        revision=body.revision,
        messages=messages,
        reason=body.reason,
        seen=body.seen,
        adjudicate=item.state.disputed and desk.role == "adjudicator",
        event_id=body.event_id,
        seconds=body.seconds,
        # A draft with another time is another tab's, which this page has not seen: using one text does not end it.
        uses_draft=draft is not None and draft.time == body.known,
    )
    again = payload(desk, desk.store.queue.item(body.sample, desk.who)) if body.verdict == "note" else None
    return {"recorded": decision.id, "revision": decision.revision, "item": again}


def cluster(desk: Desk, body: Cluster) -> dict[str, Any]:
    """Judge the members of a cluster as one batch, undone as one. Members judged so already are left out.

    Returns ``done``, how many were judged, and ``refused``, why others were not.
    """
    verdicts: dict[str, Judgement] = {}
    items: list[Item] = []
    for member in body.members:
        verdicts[member.id] = "approve" if member.id == body.keep else body.verdict
        item = desk.store.queue.item(member.id, desk.who)
        if item.status != ("approved" if verdicts[member.id] == "approve" else "rejected"):
            shown = replace(item.state, revision=member.revision)
            items.append(replace(item, state=shown, seen=member.seen))
    reasons = {name: "near_duplicate" for name, judgement in verdicts.items() if judgement == "reject"}
    batch = desk.store.decide_many(items, desk.who, verdicts, reason=reasons, batch=body.batch)
    return {"done": len(batch.decisions), "refused": [str(error) for error in batch.refused.values()]}


def undo(desk: Desk, body: Undo) -> dict[str, Any]:
    """Undo a verdict and return its sample. An undo that is sent again returns what it undid the first time.

    Without a target it undoes the newest verdict that stands, on a sample or on a pair (``undone`` is then "same"): a
    page that was loaded again does not know what came last. The stage does not repeat such a request by itself.
    """
    if body.target is not None and body.sample is not None:
        events = desk.store.log.history(body.sample)
        done = [e.reason for e in events if e.verdict == "undo"]
        target = next((e for e in events if e.id == body.target), None)
        if target is not None and target.id in done:
            return _undone(desk, target.verdict, target.sample_id)
        if target is None or target.annotator != desk.who:
            raise BadVerdict(desk.say("nothing_to_undo"))
    if body.target is None and body.sample is None and (pair := newest_on_a_pair(desk)) is not None:
        return {"undone": "same", **pair}
    undone = desk.store.undo(desk.who, body.sample)
    if undone is None:
        return {"undone": None, "item": None}
    return _undone(desk, undone.verdict, undone.sample_id)


def _undone(desk: Desk, judgement: str, sample_id: str) -> dict[str, Any]:
    item = desk.store.queue.open_item(sample_id, desk.who)
    return {"undone": judgement, "item": payload(desk, item)}
