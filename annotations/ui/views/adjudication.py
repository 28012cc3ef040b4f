"""Disputed samples, and conflicts: verdicts made without sight of each other, as two merged logs can have them."""

from __future__ import annotations

import streamlit as st

from annotations.store.panels import votes
from annotations.store.queries import Filters
from annotations.store.types import Item
from annotations.ui import markup
from annotations.ui.html import show_html
from annotations.ui.local_time import clock
from annotations.ui.session import Desk, attempt, go_to, plain, show_view, tell
from annotations.words import explain_reason
from curation.review.decisions import DECISIVE, Decision, standing

# One at a time would hide how many there are; all of them would make a long page.
_SHOWN = 20


def show(desk: Desk) -> None:
    """Show the disputed samples and the conflicts, oldest in the queue first."""
    may = desk.role == "adjudicator"
    if not may:
        st.info(desk.say("adjudication_role"), icon=":material/gavel:")
    disputed = desk.store.queue.listing(desk.who, Filters(status="disputed"), _SHOWN)
    conflicts = desk.store.queue.listing(desk.who, Filters(status="conflict"), _SHOWN)
    if not disputed and not conflicts:
        st.success(desk.say("adjudication_none"), icon=":material/handshake:")
    for item in disputed:
        _dispute(desk, item, may)
    if conflicts:
        st.subheader(desk.say("conflict_title"), anchor=False)
    for item in conflicts:
        _conflict(desk, item, may)


def _dispute(desk: Desk, item: Item, may: bool) -> None:
    given = votes(desk.store.log.history(item.id), item.state)
    with st.container(border=True):
        show_html(markup.turns(item.messages, desk.names, desk.cut), desk.say("none"))
        columns = st.columns(max(len(given), 1))
        for column, (who, vote) in zip(columns, given.items(), strict=True):
            with column:
                _said(desk, item, vote, f"{who} · {desk.say(f'verdict_{vote.verdict}')} · {clock(vote.time)}")
                st.button(
                    plain(desk.say("adjudication_take", who=who)),
                    disabled=not may or len(item.holders) >= item.panel,
                    on_click=_settle,
                    args=(desk, item, vote),
                    key=f"take {vote.id}",
                )
        st.button(desk.say("open_this"), type="tertiary", on_click=_open, args=(item.id,), key=f"open {item.id}")


def _conflict(desk: Desk, item: Item, may: bool) -> None:
    with st.container(border=True):
        show_html(markup.turns(item.messages, desk.names, desk.cut), desk.say("none"))
        events = desk.store.log.history(item.id)
        names = ", ".join(_behind(item, events)) or desk.say("none")
        st.caption(plain(desk.say("conflict_stands", status=desk.say(f"status_{item.status}"), who=names)))
        for event in events:
            if event.id not in item.state.conflicts:
                continue
            head = f"{event.annotator} · {desk.say(f'verdict_{event.verdict}')} · {clock(event.time)}"
            _said(desk, item, event, f"{head} · {desk.say('in_conflict')}")
            with st.container(horizontal=True):
                for label, action in (("adjudication_take", _adopt), ("conflict_dismiss", _dismiss)):
                    st.button(
                        plain(desk.say(label, who=event.annotator)),
                        disabled=not may or len(item.holders) >= item.panel,
                        on_click=action,
                        args=(desk, item, event),
                        key=f"{label} {event.id}",
                    )


def _behind(item: Item, events: list[Decision]) -> list[str]:
    """Return whose verdicts came to the state that stands."""
    rejected = item.status == "rejected"
    found = (
        e.annotator
        for e in standing(events)
        if e.verdict in DECISIVE and e.id not in item.state.conflicts and (e.verdict == "reject") == rejected
    )
    return list(dict.fromkeys(found))


def _said(desk: Desk, item: Item, event: Decision, head: str) -> None:
    """Show one verdict: who, what and why, and how its text differs from the one that stands."""
    show_html(markup.event(event.verdict, head, explain_reason(event.reason, desk.language), False), head)
    if event.messages is not None:
        changed = markup.diff(item.messages, event.messages, desk.names, desk.say("diff_too_long"))
        show_html(changed, desk.say("same_text"))


def _open(sample_id: str) -> None:
    go_to(sample_id)
    show_view("review")


@attempt
def _settle(desk: Desk, item: Item, vote: Decision) -> None:
    _give(desk, item, vote)


def _give(desk: Desk, item: Item, vote: Decision) -> None:
    """Give the same verdict on the current revision. Raises InosukeError if the sample has changed, for example."""
    desk.store.decide(
        item.id,
        desk.who,
        vote.verdict,
        revision=item.state.revision,
        messages=vote.messages,
        reason=vote.reason,
        seen=item.seen,
        adjudicate=True,
    )
    tell(desk.say(f"did_{vote.verdict}"))


@attempt
def _adopt(desk: Desk, item: Item, event: Decision) -> None:
    """Give the same verdict on the current revision: made in sight of all the others, it settles them."""
    _give(desk, item, event)


@attempt
def _dismiss(desk: Desk, item: Item, event: Decision) -> None:
    desk.store.dismiss(event.id, desk.who)
