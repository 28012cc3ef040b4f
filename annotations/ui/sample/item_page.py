"""One sample as the stage in the browser shows it: plain values, and HTML for each part beside the text.

Comes in: a desk and an item. Goes out: a JSON object. Each part is one function of :data:`BESIDE` or :data:`ABOVE`; to
show more beside a sample, add one. The texts of a sample reach HTML only through ``markup.py``, which escapes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from annotations.context import is_of_lines
from annotations.store.types import Draft, Item
from annotations.ui import markup
from annotations.ui.sample.decided import by_colleague, decided, overruled, stands
from annotations.ui.sample.item_marks import Explained, explained, item_marks, twins
from annotations.ui.sample.twins_page import members, near_samples, neighbours
from annotations.ui.session import Desk
from curation.record import Message, messages_to_json

# Above this a browser's text area is slow, and each pause in typing would send all of it.
EDITABLE_CHARS = 100_000
# No more places that a line was also found in: a merged transcript sample has twenty.
_ALSO_IN = 3
# How much of a sample is read out when it appears.
_SPOKEN_CHARS = 300

_COLOURS = {"pending": "gray", "disputed": "orange", "approved": "green", "rejected": "red"}


def payload(desk: Desk, item: Item) -> dict[str, Any]:
    """Return everything that the stage needs to show a sample and to judge it."""
    length = sum(len(m.content) for m in item.messages)
    draft = desk.store.drafts.get(item.id, desk.who)
    verdict = stands(desk, item)
    marks = item_marks(desk, item, twins(desk, item))
    return {
        "id": item.id,
        "rank": item.rank,
        "revision": item.state.revision,
        "seen": item.seen,
        "status": item.status,
        "can_judge": can_judge(desk, item),
        "held": bool(item.holders) and item.panel == 1,
        "length": length,
        "messages": messages_to_json(item.messages) if length <= EDITABLE_CHARS else None,
        "speakers": list(dict.fromkeys(m.name for m in (*item.sample.messages, *item.messages) if m.name)),
        "draft": draft_json(draft),
        "overrules": overruled(desk, item, verdict),
        "cluster": _cluster_json(desk, item),
        "twins": len(near_samples(desk, item)),
        "lines": is_of_lines(item.sample.source),
        "above": [{"part": part.__name__, "html": part(desk, item)} for part in ABOVE],
        "turns": markup.turns(item.messages, desk.names, desk.cut, marks, desk.filters.text),
        "beside": [{"part": part.__name__, "html": part(desk, item)} for part in BESIDE],
        "decided": decided(desk, item, verdict),
        "spoken": " ".join(f"{desk.names.of(m)}: {m.content}" for m in item.messages)[:_SPOKEN_CHARS],
    }


def draft_json(draft: Draft | None) -> dict[str, Any] | None:
    """Return an unfinished rewrite as the stage keeps it, None where there is none."""
    if draft is None:
        return None
    return {"messages": messages_to_json(draft.messages), "revision": draft.revision, "time": draft.time}


def can_judge(desk: Desk, item: Item) -> bool:
    """Return whether the annotator may judge and edit the sample now. Members of a panel work at the same time."""
    return len(item.holders) < item.panel and (not item.state.disputed or desk.role == "adjudicator")


# ---------------------------------------------------------------- above the turns


def notices(desk: Desk, item: Item) -> str:
    """Return what the annotator must know before they judge: who has it open, and whether it is blind or disputed."""
    said = []
    if item.holders and item.panel == 1:
        said.append(("warn", desk.say("held", names=", ".join(item.holders))))
    if item.state.disputed:
        said.append(("warn", desk.say("disputed_here" if desk.role == "adjudicator" else "disputed_wait")))
    elif item.panel > 1 and item.status == "pending":
        said.append(("info", desk.say("blind", n=item.panel)))
    return markup.notices(said)


def badges(desk: Desk, item: Item) -> str:
    """Return the sample's status, kind, language and revision."""
    shown = [(_COLOURS[item.status], desk.say(f"status_{item.status}")), ("blue", item.sample.kind)]
    shown += [("blue", item.sample.language)] if item.sample.language else []
    shown += [("violet", desk.say("revision", n=item.state.revision))] if item.state.revision else []
    shown += [("orange", desk.say("status_conflict"))] if item.state.conflicts else []
    return markup.badges(shown)


def comes_now(desk: Desk, item: Item) -> str:
    """Return why the order of what teaches most brings the sample now; empty in the usual order and once judged."""
    if desk.persona.review.order != "teaching" or item.status != "pending":
        return ""
    # A gold item had a verdict when the queue was built and has no place; without a line it could be told from others.
    return markup.quiet(desk.say(f"comes_{item.queued.placed.why if item.queued.placed else 'spread'}"))


# ---------------------------------------------------------------- beside the turns


def changes(desk: Desk, item: Item) -> str:
    """Return what rewrites have changed since the import; empty when nothing has."""
    changed = markup.diff(item.sample.messages, item.messages, desk.names, desk.say("diff_too_long"))
    return markup.folded(desk.say("changes"), changed) if changed else ""


def flags(desk: Desk, item: Item) -> str:
    """Return the sample's flags, each with the words that caused it and the sample that it names."""
    found = [_flag(desk, one) for one in explained(desk, item, twins(desk, item))]
    if not found and item.queued.cluster:
        return ""  # the near-duplicates below are what to look at
    return markup.part(desk.say("flags"), Markup("").join(found) or markup.quiet(desk.say("no_flags")))


def near(desk: Desk, item: Item) -> str:
    """Return the other samples of the cluster, each with what differs, and the buttons that judge them together."""
    others = [m for m in members(desk, item) if m.id != item.id]
    if not others:
        return ""
    keys = ""
    if can_judge(desk, item):
        keys = markup.buttons(
            [
                ("cluster-keep", desk.say("cluster_keep"), "k"),
                ("cluster-approve", desk.say("cluster_approve"), ""),
                ("cluster-reject", desk.say("cluster_reject"), ""),
            ]
        )
    cards = neighbours(desk, item, others)
    return markup.part(desk.say("near", n=len(others)), Markup("").join([cards, keys]))


def notes(desk: Desk, item: Item) -> str:
    """Return the notes that annotators left."""
    if not item.state.notes:
        return ""
    return markup.part(desk.say("notes"), markup.facts(("", note) for note in item.state.notes))


def source(desk: Desk, item: Item) -> str:
    """Return where the sample comes from."""
    sample, found = item.sample, item.sample.source
    also = [desk.say("also_in", path=s.path, locator=s.locator) for s in item.queued.merged]
    pairs = [("", f"{found.path} · {found.locator}"), ("", f"{found.importer} · {found.rights}")]
    pairs += [("", text) for text in also[:_ALSO_IN]]
    pairs += [(desk.say("topic"), sample.topic)] if sample.topic else []
    pairs += [(desk.say("sample"), sample.id)]
    more = also[_ALSO_IN:]
    folded = markup.folded(desk.say("also_more", n=len(more)), markup.facts(("", t) for t in more)) if more else ""
    return markup.part(desk.say("source_of"), Markup("").join([markup.facts(pairs), folded]))


ABOVE: tuple[Callable[[Desk, Item], str], ...] = (notices, badges, comes_now)
BESIDE: tuple[Callable[[Desk, Item], str], ...] = (changes, flags, near, notes, source)


# ---------------------------------------------------------------- helpers


def _colleague(desk: Desk, item: Item) -> str | None:
    """Return the colleague whose verdict on a near-duplicate stands, None where there is none to overrule."""
    verdict = stands(desk, item)
    return verdict.annotator if verdict is not None and by_colleague(desk, verdict) else None


def _flag(desk: Desk, one: Explained) -> str:
    more = [markup.caused(desk.say("flag_words"), one.words)] if one.words else []
    more += [markup.link_button("open", desk.say("open_this"), one.twin)] if one.twin else []
    return markup.flag(one.title, one.detail, *more)


def _cluster_json(desk: Desk, item: Item) -> list[dict[str, Any]]:
    """Return what a verdict on the whole cluster names: each member as this page shows it."""
    return [
        {"id": m.id, "revision": m.state.revision, "seen": m.seen, "status": m.status, "by": _colleague(desk, m)}
        for m in members(desk, item)
    ]


def working_text(desk: Desk, item: Item, messages: tuple[Message, ...]) -> str:
    """Return how a text that is being written differs from the import; empty when it does not."""
    return markup.diff(item.sample.messages, messages, desk.names, desk.say("diff_too_long"))
