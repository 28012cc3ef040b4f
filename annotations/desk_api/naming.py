"""Name a speaker once, for the other samples of the scene: look first, then do it, and undo it as one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from annotations.desk_api.bodies import Name, Unname
from annotations.store.types import Item
from annotations.team import speakers
from annotations.team.speakers import NamingPreview, Renamed
from annotations.ui import markup
from annotations.ui.session import Desk
from curation.codes import explain_flag

# A scene has fewer; the numbers above the list count all of them.
_SHOWN = 20


def name_scene(desk: Desk, body: Name) -> dict[str, Any]:
    """Return what naming a turn changes in the scene's other samples; with ``only``, do it to those samples.

    The sample itself is the editor's. Looking returns ``html``, ``rewrites``, ``drafts`` and ``ids``; doing it returns
    how many were ``rewritten``, the ``batch`` and one ``sample`` of it, the new ``drafts`` by id with their times, and
    why others were ``refused``.
    """
    item = desk.store.queue.item(body.sample, desk.who)
    naming = speakers.naming_of(item, body.turn, body.name)
    seen = _without({item.id}, speakers.preview(desk.store, desk.persona, desk.who, item, naming))
    if not body.only:
        return _preview(desk, seen)
    seen = _without({change.item.id for change in (*seen.changes, *seen.waiting)} - set(body.only), seen)
    before = {c.item.id for c in seen.waiting if desk.store.drafts.get(c.item.id, desk.who) is not None}
    batch, _ = speakers.apply(desk.store, desk.who, seen)
    made = [] if batch is None else [decision.sample_id for decision in batch.decisions]
    drafts = {c.item.id: desk.store.drafts.get(c.item.id, desk.who) for c in seen.waiting if c.item.id not in before}
    return {
        "rewritten": len(made),
        "batch": None if batch is None else batch.id,
        "sample": made[0] if made else None,
        "drafts": {sample_id: draft.time for sample_id, draft in drafts.items() if draft is not None},
        "refused": [] if batch is None else [str(error) for error in batch.refused.values()],
    }


def unname_scene(desk: Desk, body: Unname) -> dict[str, Any]:
    """Undo what :func:`name_scene` did: its batch, and those of its drafts that no one has worked on since."""
    changed: list[str] = []
    events = [] if body.sample is None else desk.store.log.history(body.sample)
    gone = {event.reason for event in events if event.verdict == "undo"}
    if any(e.batch == body.batch and e.annotator == desk.who and e.id not in gone for e in events if e.batch):
        changed += [event.sample_id for event in desk.store.take_back(desk.who, body.sample)]
    for sample_id, time in body.drafts.items():
        draft = desk.store.drafts.get(sample_id, desk.who)
        if draft is not None and draft.time == time:
            desk.store.drafts.drop(sample_id, desk.who)
            changed.append(sample_id)
    return {"changed": changed}


def _without(ids: set[str], seen: NamingPreview) -> NamingPreview:
    def others(changes: tuple[Renamed, ...]) -> tuple[Renamed, ...]:
        return tuple(change for change in changes if change.item.id not in ids)

    return replace(seen, changes=others(seen.changes), waiting=others(seen.waiting), refused=others(seen.refused))


def _preview(desk: Desk, seen: NamingPreview) -> dict[str, Any]:
    cards = [_card(desk, change.item, change) for change in (*seen.changes, *seen.waiting)]
    cards += [_card(desk, change.item, change) for change in seen.refused]
    return {
        "html": "".join(cards[:_SHOWN]),
        "rewrites": len(seen.changes),
        "drafts": len(seen.waiting),
        "refused": len(seen.refused),
        "ids": [change.item.id for change in (*seen.changes, *seen.waiting)],
    }


def _card(desk: Desk, item: Item, change: Renamed) -> str:
    status = desk.say("scene_refused_one") if change.forbidden else desk.say(f"status_{item.status}")
    pairs = [(old, new) for old, new in zip(item.messages, change.messages, strict=True) if old != new]
    changed = ([old for old, _ in pairs], [new for _, new in pairs])
    why = explain_flag(change.forbidden, desk.language) if change.forbidden else ""
    return markup.card(
        markup.facts([(status, why), ("", item.sample.source.locator)]),
        markup.diff(*changed, desk.names, desk.say("diff_too_long")),
    )
