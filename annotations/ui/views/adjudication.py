"""Disputed samples, and conflicts: verdicts on an old revision, as two merged logs can have them."""

from __future__ import annotations

import streamlit as st

from annotations.store.panels import votes
from annotations.store.queries import Filters
from annotations.store.types import Item
from annotations.ui import markup
from annotations.ui.session import Desk, attempt, go_to, plain, show_view, tell
from annotations.words import explain_reason
from curation.review.decisions import Decision

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
        st.html(markup.turns(item.messages, desk.names, desk.cut))
        columns = st.columns(max(len(given), 1))
        for column, (who, vote) in zip(columns, given.items(), strict=True):
            with column:
                st.html(
                    markup.event(
                        vote.verdict,
                        f"{who} · {desk.say(f'verdict_{vote.verdict}')}",
                        explain_reason(vote.reason, desk.language),
                        False,
                    )
                )
                if vote.messages is not None:
                    st.html(markup.diff(item.messages, vote.messages, desk.names, desk.say("diff_too_long")) or " ")
                st.button(
                    plain(desk.say("adjudication_take", who=who)),
                    disabled=not may or bool(item.holders),
                    on_click=_settle,
                    args=(desk, item, vote),
                    key=f"take {vote.id}",
                )
        st.button(desk.say("open_this"), type="tertiary", on_click=_open, args=(item.id,), key=f"open {item.id}")


def _conflict(desk: Desk, item: Item, may: bool) -> None:
    with st.container(border=True):
        st.html(markup.turns(item.messages, desk.names, desk.cut))
        for event in desk.store.log.history(item.id):
            if event.id not in item.state.conflicts:
                continue
            head = f"{event.annotator} · {desk.say(f'verdict_{event.verdict}')} · {desk.say('on_old_revision')}"
            st.html(markup.event(event.verdict, head, explain_reason(event.reason, desk.language), False))
            if event.messages is not None:
                st.html(markup.diff(item.messages, event.messages, desk.names, desk.say("diff_too_long")) or " ")
            with st.container(horizontal=True):
                for label, action in (("adjudication_take", _adopt), ("conflict_dismiss", _dismiss)):
                    st.button(
                        plain(desk.say(label, who=event.annotator)),
                        disabled=not may or bool(item.holders),
                        on_click=action,
                        args=(desk, item, event),
                        key=f"{label} {event.id}",
                    )


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
    """Give the same verdict on the current revision, then dismiss the one on the old revision."""
    _give(desk, item, event)
    desk.store.dismiss(event.id, desk.who)


@attempt
def _dismiss(desk: Desk, item: Item, event: Decision) -> None:
    desk.store.dismiss(event.id, desk.who)
