"""The history of one sample: its events, and a button to restore any of its revisions."""

from __future__ import annotations

import streamlit as st

from annotations.store.types import Item, UnknownSample
from annotations.ui import markup
from annotations.ui.session import Desk, attempt, current_sample, go_to, plain, tell
from annotations.words import explain_reason
from curation.record import Message
from curation.review.decisions import Decision


def show(desk: Desk) -> None:
    """Show the open sample's history, and what the annotator did last."""
    asked = st.text_input(desk.say("history_pick"), value=current_sample() or "", key="history_sample")
    story, recent = st.columns([3, 2], gap="large")
    with recent:
        st.subheader(desk.say("history_recent"), anchor=False)
        for decision in desk.store.log.recent(desk.who):
            label = f"{_clock(decision)} · {desk.say(f'verdict_{decision.verdict}')} · {decision.sample_id}"
            st.button(
                plain(label), type="tertiary", on_click=_look_at, args=(decision.sample_id,), key=f"see {decision.id}"
            )
    with story:
        if not asked:
            return
        try:
            item = desk.store.queue.item(asked.strip(), desk.who)
        except UnknownSample as error:
            st.warning(plain(str(error)))
            return
        _story(desk, item)


def _look_at(sample_id: str) -> None:
    go_to(sample_id)
    st.session_state["history_sample"] = sample_id


def _story(desk: Desk, item: Item) -> None:
    events = desk.store.log.history(item.id)
    undone = {e.reason for e in events if e.verdict == "undo"}
    hidden = item.panel > 1 and item.status == "pending" and desk.role != "adjudicator"
    st.caption(desk.say("history_original"))
    st.html(markup.turns(item.sample.messages, desk.names, desk.cut))
    if item.state.revision:
        _restore(desk, item, item.sample.messages, "0")
    if not events:
        st.caption(desk.say("history_none"))
    before = item.sample.messages
    for event in events:
        if event.verdict == "undo":
            continue
        if hidden and event.panel > 1 and event.annotator != desk.who:
            st.caption(desk.say("history_hidden"))
            continue
        words = [_clock(event), event.annotator, desk.say(f"verdict_{event.verdict}"), event.client]
        words += [desk.say("was_undone")] if event.id in undone else []
        words += [desk.say("on_old_revision")] if event.id in item.state.conflicts else []
        why = explain_reason(event.reason, desk.language)
        st.html(markup.event(event.verdict, " · ".join(words), why, event.id in undone))
        if event.messages is not None:
            st.html(markup.diff(before, event.messages, desk.names, desk.say("diff_too_long")) or " ")
            if event.messages != item.messages:
                _restore(desk, item, event.messages, event.id)
            if event.id not in undone:
                before = event.messages


def _restore(desk: Desk, item: Item, messages: tuple[Message, ...], key: str) -> None:
    st.button(
        desk.say("history_restore"),
        icon=":material/restore:",
        type="tertiary",
        disabled=bool(item.holders) or (item.panel > 1 and item.state.status == "pending"),
        on_click=_write_back,
        args=(desk, item, messages),
        key=f"restore {item.id} {key}",
    )


@attempt
def _write_back(desk: Desk, item: Item, messages: tuple[Message, ...]) -> None:
    """Restore a revision by a rewrite: the history keeps everything in between."""
    desk.store.decide(
        item.id,
        desk.who,
        "rewrite",
        revision=item.state.revision,
        messages=messages,
        reason="restored",
        seen=item.seen,
    )
    tell(desk.say("restored", n=item.state.revision + 1))


def _clock(event: Decision) -> str:
    return event.time[:16].replace("T", " ")
