"""The actions behind the keys. Each takes the item as the screen showed it: the store can tell if it has changed."""

from __future__ import annotations

import streamlit as st

from annotations.store.queries import Filters
from annotations.store.types import Item, StaleVerdict
from annotations.ui.session import Desk, attempt, current_sample, go_to, set_mode, tell
from curation.errors import InosukeError
from curation.record import Message
from curation.review.decisions import Verdict

_EVERYTHING = "all"


@attempt
def decide(
    desk: Desk, item: Item, verdict: Verdict, reason: str = "", messages: tuple[Message, ...] | None = None
) -> None:
    """Record a verdict and open the next sample. If this one has changed since it was opened, show the newer one."""
    try:
        desk.store.decide(
            item.id,
            desk.who,
            verdict,
            revision=item.state.revision,
            messages=messages,
            reason=reason,
            seen=item.seen,
            adjudicate=item.state.disputed and desk.role == "adjudicator",
        )
    except StaleVerdict as stale:
        if stale.by == desk.who:
            return  # a key pressed twice, or a second tab: the verdict is recorded already
        tell(desk.say("stale", who=stale.by), problem=True)
        return
    tell(desk.say(f"did_{verdict}"))
    if verdict == "note":
        set_mode("look")
    else:
        advance(desk, item.rank)


def advance(desk: Desk, rank: int | None) -> None:
    """Open the next free sample behind a rank."""
    following = desk.store.queue.next_item(desk.who, desk.filters, after=rank)
    go_to(following.id if following else None)


@attempt
def step(desk: Desk, item: Item, back: bool) -> None:
    """Open the next sample to judge, or go back over all samples, judged ones too."""
    if not back:
        desk.store.queue.release(item.id, desk.who)
        advance(desk, item.rank)
        return
    everything = Filters(
        status=_EVERYTHING if desk.filters.status == "open" else desk.filters.status,
        kind=desk.filters.kind,
        source=desk.filters.source,
        language=desk.filters.language,
        flag=desk.filters.flag,
        speaker=desk.filters.speaker,
        text=desk.filters.text,
    )
    before = desk.store.queue.neighbour(desk.who, everything, item.rank, back=True)
    if before is not None:
        desk.store.queue.release(item.id, desk.who)
        go_to(before)


@attempt
def undo(desk: Desk) -> None:
    """Undo the annotator's newest verdict that stands, and open its sample."""
    undone = desk.store.undo(desk.who)
    if undone is None:
        tell(desk.say("nothing_to_undo"))
        return
    here = current_sample()
    if here is not None and here != undone.sample_id:
        desk.store.queue.release(here, desk.who)
    go_to(undone.sample_id)
    tell(desk.say("undone", verdict=desk.say(f"verdict_{undone.verdict}")))


@attempt
def settle_cluster(desk: Desk, items: list[Item], verdict: Verdict, keep: Item | None = None) -> None:
    """Judge a whole near-duplicate cluster. With ``keep``, that sample is approved and the others are rejected."""
    done, refused = 0, []
    for item in items:
        kept = keep is not None and item.id == keep.id
        one: Verdict = "approve" if kept else verdict
        if item.status == ("approved" if one == "approve" else "rejected"):
            continue
        try:
            desk.store.decide(
                item.id,
                desk.who,
                one,
                revision=item.state.revision,
                reason="" if one == "approve" else "near_duplicate",
                seen=item.seen,
            )
            done += 1
        except InosukeError as error:
            refused.append(str(error))
    tell(desk.say("cluster_done", n=done))
    if refused:
        tell(desk.say("cluster_refused", n=len(refused), why=refused[0]), problem=True)
    advance(desk, items[0].rank if keep is None else keep.rank)


def toggle_help() -> None:
    """Show or hide the list of keys."""
    st.session_state["help"] = not st.session_state.get("help", False)
