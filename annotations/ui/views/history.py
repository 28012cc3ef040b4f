"""The history of one sample: its events, and a button to restore any of its revisions."""

from __future__ import annotations

import streamlit as st

from annotations.store.types import Item, UnknownSample
from annotations.team.gold import is_asked
from annotations.ui import markup
from annotations.ui.html import show_html
from annotations.ui.local_time import clock
from annotations.ui.session import Desk, attempt, current_sample, go_to, plain, tell
from annotations.words import explain_reason
from curation.record import Message
from curation.review.decisions import Decision

# Of a sample's last turn, beside what the annotator did with it.
_SHOWN_CHARS = 60


def show(desk: Desk) -> None:
    """Show the open sample's history, and what the annotator did last."""
    asked = st.text_input(desk.say("history_pick"), value=current_sample() or "", key="history_sample")
    story, recent = st.columns([3, 2], gap="large")
    with recent:
        st.subheader(desk.say("history_recent"), anchor=False)
        for decision in desk.store.log.recent(desk.who):
            label = f"{clock(decision.time)} · {desk.say(f'verdict_{decision.verdict}')} · {_words(desk, decision)}"
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


def _words(desk: Desk, decision: Decision) -> str:
    """Return the beginning of a sample's last turn; its id where no queue has brought the sample."""
    try:
        messages = decision.messages or desk.store.queue.item(decision.sample_id).messages
    except UnknownSample:
        return decision.sample_id
    text = " ".join(messages[-1].content.split())
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def _look_at(sample_id: str) -> None:
    go_to(sample_id)
    st.session_state["history_sample"] = sample_id


def _story(desk: Desk, item: Item) -> None:
    events = [] if is_asked(desk.store, item.id, desk.who) else desk.store.log.history(item.id)
    undone = {e.reason for e in events if e.verdict == "undo"}
    hidden = item.panel > 1 and item.status == "pending" and desk.role != "adjudicator"
    st.caption(desk.say("history_original"))
    show_html(markup.turns(item.sample.messages, desk.names, desk.cut), desk.say("none"))
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
        words = [clock(event.time), event.annotator, desk.say(f"verdict_{event.verdict}"), event.client]
        words += [desk.say("was_undone")] if event.id in undone else []
        words += [desk.say("in_conflict")] if event.id in item.state.conflicts else []
        why = explain_reason(event.reason, desk.language, desk.persona)
        show_html(markup.event(event.verdict, " · ".join(words), why, event.id in undone), desk.say("none"))
        if event.messages is not None:
            changed = markup.diff(before, event.messages, desk.names, desk.say("diff_too_long"))
            show_html(changed, desk.say("same_text"))
            if event.messages != item.messages:
                _restore(desk, item, event.messages, event.id)
            if event.id not in undone:
                before = event.messages


def _restore(desk: Desk, item: Item, messages: tuple[Message, ...], key: str) -> None:
    st.button(
        desk.say("history_restore"),
        icon=":material/restore:",
        type="tertiary",
        disabled=len(item.holders) >= item.panel or (item.panel > 1 and item.state.status == "pending"),
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
        uses_draft=False,
    )
    tell(desk.say("restored", n=item.state.revision + 1))
