"""Open samples for the stage, lease some ahead, renew and end leases, count what is left."""

from __future__ import annotations

from typing import Any

from annotations.desk_api.bodies import Keep, Open, Progress
from annotations.signing import sign
from annotations.store.queries import Filters
from annotations.store.types import Item, UnknownSample
from annotations.ui import pace
from annotations.ui.sample.item_page import payload
from annotations.ui.session import Desk


def open_sample(desk: Desk, body: Open) -> dict[str, Any]:
    """Return ``item``, the sample to show (None where nothing is left), and ``ahead``, the ones leased behind it."""
    _release(desk, body.release)
    filters = desk.filters
    missing = False
    item: Item | None = None
    if body.back:
        item = _before(desk, filters, body.after)
        if item is None:
            return {"item": None, "ahead": [], "first": True}
    elif body.sample is not None:
        try:
            item = desk.store.queue.open_item(body.sample, desk.who)
        except UnknownSample:  # an old link, or a later build no longer has it
            missing = True
    elif body.resume:
        item = _resumed(desk)
    if item is None:
        item = desk.store.queue.next_item(desk.who, filters, after=body.after)
    ahead = [] if item is None else _ahead(desk, filters, item.rank, body.want)
    shown = None if item is None else payload(desk, item)
    return {"item": shown, "ahead": [payload(desk, one) for one in ahead], "missing": missing}


def more(desk: Desk, body: Open) -> dict[str, Any]:
    """Return ``ahead``: up to ``want`` more samples behind ``after``, leased."""
    _release(desk, body.release)
    return {"ahead": [payload(desk, one) for one in _ahead(desk, desk.filters, body.after, body.want)]}


def keep(desk: Desk, body: Keep) -> dict[str, Any]:
    """Renew leases and end others. Returns a new token, so that a page which stays open stays signed in."""
    _release(desk, body.release)
    renewed = desk.store.queue.renew(body.samples, desk.who) if body.samples else 0
    return {"renewed": renewed, "token": sign(desk.store, desk.who, desk.way)}


def progress(desk: Desk, body: Progress) -> dict[str, Any]:
    """Return how many samples are done, how many there are, how many the filter leaves, and the pace in words."""
    by_kind = desk.store.queue.counts()
    total = sum(n for statuses in by_kind.values() for n in statuses.values())
    done = sum(statuses.get(s, 0) for statuses in by_kind.values() for s in ("approved", "rejected"))
    filters = desk.filters
    left = desk.store.queue.count(desk.who, filters)
    open_now = left if filters == Filters() else desk.store.queue.count(desk.who, Filters())
    return {
        "share": done / total if total else 0.0,
        "words": " · ".join(
            (
                desk.say("progress", done=done, total=total),
                desk.say("left", n=left),
                pace.describe(desk, open_now),
            )
        ),
    }


def _ahead(desk: Desk, filters: Filters, after: int | None, want: int) -> list[Item]:
    found: list[Item] = []
    for _ in range(want):
        item = desk.store.queue.next_item(desk.who, filters, after=after)
        if item is None:
            break
        found.append(item)
        after = item.rank
    return found


def _before(desk: Desk, filters: Filters, rank: int | None) -> Item | None:
    """Return the sample before a rank, judged ones too: going back is for looking again."""
    values = {name: getattr(filters, name) for name in Filters.__slots__}
    everything = Filters(**{**values, "status": "all" if filters.status == "open" else filters.status})
    before = desk.store.queue.neighbour(desk.who, everything, rank, back=True)
    return None if before is None else desk.store.queue.open_item(before, desk.who)


def _resumed(desk: Desk) -> Item | None:
    """Return the sample that was open when the page was closed, if the annotator still holds it.

    Those that were leased ahead lie behind it.
    """
    held = [desk.store.queue.item(sample_id, desk.who) for sample_id in desk.store.queue.held(desk.who)]
    waiting = [item for item in held if item.status == "pending"]
    return None if not waiting else desk.store.queue.open_item(min(waiting, key=lambda i: i.rank).id, desk.who)


def _release(desk: Desk, sample_ids: list[str]) -> None:
    for sample_id in sample_ids:
        desk.store.queue.release(sample_id, desk.who)
