"""A sample's near-duplicates: how alike they are, what differs, and what was decided on each."""

from __future__ import annotations

from markupsafe import Markup
from rapidfuzz import fuzz

from annotations.store.types import Item
from annotations.ui import markup
from annotations.ui.sample.decided import decided, stands
from annotations.ui.sample.item_marks import twins
from annotations.ui.session import Desk
from curation.dedup.wording import compared
from curation.record import Sample

# No more neighbours than this are shown: a screen full of diffs does not help.
_MOST = 6


def members(desk: Desk, item: Item) -> list[Item]:
    """Return the samples of a sample's cluster, itself too; none where it is in no cluster."""
    return desk.store.queue.cluster(str(item.queued.cluster)) if item.queued.cluster else []


def near_samples(desk: Desk, item: Item) -> list[Item]:
    """Return the others of a sample's cluster, then the samples that its flags name, each once."""
    found = {other.id: other for other in members(desk, item)} | twins(desk, item)
    found.pop(item.id, None)
    return list(found.values())


def neighbours(desk: Desk, item: Item, others: list[Item]) -> str:
    """Return a card for each near-duplicate: what differs from the sample, how alike, and how it was decided."""
    cards = [_neighbour(desk, item, other) for other in others[:_MOST]]
    more = [markup.quiet(desk.say("near_more", n=len(others) - _MOST))] if len(others) > _MOST else []
    return Markup("").join([*cards, *more])


def side_by_side(desk: Desk, item: Item) -> str:
    """Return the sample on one side and its near-duplicates on the other, with what was decided on them."""
    others = near_samples(desk, item)
    if not others:
        return markup.quiet(desk.say("near_none"))
    this = markup.turns(item.messages, desk.names, desk.cut)
    return markup.columns(
        markup.part(desk.say("sample"), this),
        markup.part(desk.say("near", n=len(others)), neighbours(desk, item, others)),
    )


def _neighbour(desk: Desk, item: Item, other: Item) -> str:
    changed = markup.diff(item.messages, other.messages, desk.names, desk.say("diff_too_long"))
    verdict = stands(desk, other)
    status = decided(desk, other, verdict) if verdict else markup.quiet(desk.say(f"status_{other.status}"))
    return markup.card(
        markup.facts([(f"{likeness(item.sample, other.sample):.1f} %", other.sample.source.locator)]),
        status,
        changed or markup.turns(other.messages, desk.names, desk.cut),
        markup.link_button("open", desk.say("open_this"), other.id),
    )


def likeness(one: Sample, other: Sample) -> float:
    """Return how alike two samples are, 0 to 100: what their flag says, or else the same measure on the same words."""
    for sample, twin in ((one, other), (other, one)):
        for flag in sample.flags:
            head, like, name = flag.detail.partition(" like ")
            if like and name.startswith(twin.id):
                return float(head.rsplit(" ", 1)[-1])
    return fuzz.ratio("\n".join(compared(one, frozenset())), "\n".join(compared(other, frozenset())))
