"""The review view: one sample, its keys, and how much is left."""

from __future__ import annotations

import streamlit as st

from annotations.store.queries import Filters
from annotations.store.types import Item, UnknownSample
from annotations.ui import actions, markup, pace
from annotations.ui.session import Desk, current_sample, go_to, mode, plain, set_mode
from annotations.ui.views import sample
from annotations.ui.views.editor import draft_note, edit
from annotations.words import HELP, REASONS

# A third of a lease: two renewals may be lost before another annotator gets the sample.
_RENEW_SECONDS = 100


def show(desk: Desk) -> None:
    """Show the open sample, or else the next one, or that nothing is left."""
    _refilter(desk)
    item = _open(desk)
    _header(desk)
    if st.session_state.get("help"):
        st.markdown(HELP[desk.language])
    if item is None:
        _nothing(desk)
        return
    _keep(desk, item.id)
    _notices(desk, item)
    if mode() == "edit" and not item.holders:
        edit(desk, item)
        return
    dialogue, aside = st.columns([3, 2], gap="large")
    with dialogue:
        _badges(desk, item)
        st.html(markup.turns(item.messages, desk.names, desk.cut))
        if item.state.revision:
            with st.expander(desk.say("changes")):
                st.html(markup.diff(item.sample.messages, item.messages, desk.names, desk.say("diff_too_long")) or " ")
    with aside:
        sample.beside(desk, item)
    with st.bottom:
        _keys(desk, item)


def _open(desk: Desk) -> Item | None:
    wanted = current_sample()
    if wanted is not None:
        try:
            return desk.store.queue.open_item(wanted, desk.who)
        except UnknownSample:  # an old link, or a later build no longer has it
            go_to(None)
    item = _resumed(desk) or desk.store.queue.next_item(desk.who, desk.filters)
    if item is not None:
        go_to(item.id)
    return item


def _resumed(desk: Desk) -> Item | None:
    """Return the sample that was open when the page was closed, if the annotator still holds it."""
    if st.session_state.get("resumed"):
        return None
    st.session_state["resumed"] = True
    held = desk.store.queue.held(desk.who)
    return desk.store.queue.open_item(held[0], desk.who) if held else None


def _refilter(desk: Desk) -> None:
    """Release the open sample when the annotator has changed the filters."""
    before = st.session_state.get("filtered_by", desk.filters)
    st.session_state["filtered_by"] = desk.filters
    wanted = current_sample()
    if before != desk.filters and wanted is not None:
        desk.store.queue.release(wanted, desk.who)
        go_to(None)


@st.fragment(run_every=_RENEW_SECONDS)
def _keep(desk: Desk, sample_id: str) -> None:
    """Renew the lease while the page is open."""
    desk.store.queue.renew([sample_id], desk.who)


def _header(desk: Desk) -> None:
    by_kind = desk.store.queue.counts()
    total = sum(n for statuses in by_kind.values() for n in statuses.values())
    done = sum(statuses.get(s, 0) for statuses in by_kind.values() for s in ("approved", "rejected"))
    left = desk.store.queue.count(desk.who, desk.filters)
    words = [
        desk.say("progress", done=done, total=total),
        desk.say("left", n=left),
        pace.describe(desk, left if desk.filters == Filters() else desk.store.queue.count(desk.who, Filters())),
    ]
    st.progress(done / total if total else 0.0, text=plain(" · ".join(words)))


def _nothing(desk: Desk) -> None:
    st.info(desk.say("nothing_left"), icon=":material/done_all:")
    st.text(desk.say("nothing_left_hint"))
    with st.bottom, st.container(horizontal=True):
        st.button(desk.say("undo"), shortcut="u", icon=":material/undo:", on_click=actions.undo, args=(desk,))
        st.button(desk.say("help"), shortcut="h", on_click=actions.toggle_help)


def _notices(desk: Desk, item: Item) -> None:
    if item.holders and item.panel == 1:
        st.warning(plain(desk.say("held", names=", ".join(item.holders))), icon=":material/lock:")
    if item.panel > 1 and item.status == "pending":
        st.info(desk.say("blind", n=item.panel), icon=":material/visibility_off:")
    draft = desk.store.drafts.get(item.id, desk.who)
    if draft is not None and mode() != "edit":
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info(draft_note(desk, draft), icon=":material/edit_note:")
            st.button(desk.say("edit"), on_click=set_mode, args=("edit",), key="to_draft")


_COLOURS = {"pending": "gray", "disputed": "orange", "approved": "green", "rejected": "red"}


def _badges(desk: Desk, item: Item) -> None:
    with st.container(horizontal=True, gap="small"):
        st.badge(desk.say(f"status_{item.status}"), color=_COLOURS[item.status])  # type: ignore[arg-type]
        st.badge(plain(item.sample.kind), color="blue")
        if item.sample.language:
            st.badge(plain(item.sample.language), color="blue")
        if item.state.revision:
            st.badge(desk.say("revision", n=item.state.revision), color="violet")
        if item.state.conflicts:
            st.badge(desk.say("status_conflict"), color="orange")


def _keys(desk: Desk, item: Item) -> None:
    doing = mode()
    with st.container(horizontal=True, horizontal_alignment="center", gap="xsmall", key="keys"):
        if doing == "reject":
            _reasons(desk, item)
        elif doing == "note":
            _note(desk, item)
        else:
            _verdicts(desk, item)


def _verdicts(desk: Desk, item: Item) -> None:
    # Streamlit keeps c and r for itself and does not accept ?: so reject is x and help is h.
    off = len(item.holders) >= item.panel or (item.state.disputed and desk.role != "adjudicator")
    st.button(
        desk.say("approve"),
        type="primary",
        shortcut="a",
        disabled=off,
        on_click=actions.decide,
        args=(desk, item, "approve"),
        key=f"approve {item.id}",
    )
    st.button(desk.say("reject"), shortcut="x", disabled=off, on_click=set_mode, args=("reject",), key="reject")
    st.button(desk.say("edit"), shortcut="e", disabled=off, on_click=set_mode, args=("edit",), key="edit")
    st.button(
        desk.say("skip"),
        shortcut="s",
        on_click=actions.decide,
        args=(desk, item, "skip"),
        key=f"skip {item.id}",
    )
    st.button(desk.say("undo"), shortcut="u", on_click=actions.undo, args=(desk,), key="undo")
    st.button(desk.say("previous"), shortcut="p", on_click=actions.step, args=(desk, item, True), key="previous")
    st.button(desk.say("next"), shortcut="n", on_click=actions.step, args=(desk, item, False), key="next")
    st.button(desk.say("note"), shortcut="m", on_click=set_mode, args=("note",), key="note")
    st.button(desk.say("help"), shortcut="h", on_click=actions.toggle_help, key="help_key")


def _reasons(desk: Desk, item: Item) -> None:
    st.text(desk.say("why_reject"))
    for number, reason in enumerate(REASONS, 1):
        st.button(
            desk.say(f"reason_{reason}"),
            shortcut=str(number),
            on_click=actions.decide,
            args=(desk, item, "reject", reason),
            key=f"{reason} {item.id}",
        )
    st.button(desk.say("cancel"), shortcut="Esc", type="tertiary", on_click=set_mode, args=("look",), key="no_reject")


def _note(desk: Desk, item: Item) -> None:
    key = f"note {item.id}"
    st.text_input(desk.say("note_text"), key=key, max_chars=500)
    st.button(desk.say("save_note"), type="primary", on_click=_save_note, args=(desk, item, key), key="save_note")
    st.button(desk.say("cancel"), shortcut="Esc", type="tertiary", on_click=set_mode, args=("look",), key="no_note")


def _save_note(desk: Desk, item: Item, key: str) -> None:
    text = st.session_state[key].strip()
    if text:
        actions.decide(desk, item, "note", text)
    set_mode("look")
