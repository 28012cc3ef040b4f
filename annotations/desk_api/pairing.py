"""Record what the stage sends of two samples that are near by meaning: "the same", "not the same", and its undo."""

from __future__ import annotations

from typing import Any

from annotations.desk_api.bodies import Same, Unsame
from annotations.meaning import pairs
from annotations.store.types import BadVerdict, UnknownSample
from annotations.ui.sample.item_page import payload
from annotations.ui.sample.meaning_page import index_of, meaning, sides
from annotations.ui.session import Desk
from curation.errors import UsageError
from curation.meaning.neighbours import group_of, row_cosines


def same(desk: Desk, body: Same) -> dict[str, Any]:
    """Record a verdict on two samples; the same ``verdict_id`` again changes nothing. Neither sample is decided by it.

    Returns the part as the page shows it now. Raises UsageError for a sample and itself, UnknownSample for one that the
    queue no longer has, and InosukeError while the model is still reading.
    """
    if body.sample == body.other:
        raise UsageError("a sample was to be compared with itself. Expected two samples; reload the page.")
    index = index_of(desk)
    item = desk.store.queue.item(body.sample, desk.who)
    beside = desk.store.queue.item(body.other, desk.who)
    group = group_of(item.sample)
    if group_of(beside.sample) != group:
        raise UsageError("a quote or a persona line was to be compared with a dialogue. Reload the page.")
    one, other = sides(desk, item, beside)
    cosine = float(row_cosines(*(index.vectors.of([side.text]) for side in (one, other)))[0])
    pairs.judge(
        desk.store,
        desk.who,
        (one, other),
        body.answer,
        group=group,
        cosine=cosine,
        model=index.encoder.name,
        verdict_id=body.verdict_id,
    )
    return meaning(desk, item).to_json()


def unsame(desk: Desk, body: Unsame) -> dict[str, Any]:
    """Withdraw a verdict on a pair and return the part as the page shows it now."""
    if pairs.withdraw(desk.store, desk.who, body.verdict_id) is None:
        raise BadVerdict(desk.say("nothing_to_undo"))
    return meaning(desk, desk.store.queue.item(body.sample, desk.who)).to_json()


def newest_on_a_pair(desk: Desk) -> dict[str, Any] | None:
    """Withdraw the annotator's newest verdict on a pair, unless one on a sample is newer: then return None.

    Returns ``item``, the sample beside which it was given, and ``meaning``, its part; both are None for a sample that
    the queue no longer has.
    """
    mine = [v for v in pairs.verdicts(desk.store) if v.annotator == desk.who]
    other = desk.store.undoable(desk.who)
    if not mine or (other is not None and other.time > mine[-1].time):
        return None
    pairs.withdraw(desk.store, desk.who, mine[-1].id)
    try:
        item = desk.store.queue.open_item(mine[-1].a.sample, desk.who)
    except UnknownSample:
        return {"item": None, "meaning": None}
    return {"item": payload(desk, item), "meaning": meaning(desk, item).to_json()}
