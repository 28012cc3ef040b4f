"""The editor: a sample's turns, a live diff and live checks. The store has every change at once, as a draft."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from annotations.dialogue_checks import UNFINISHED, check_messages
from annotations.store.types import Draft, Item
from annotations.ui import markup
from annotations.ui.actions import decide
from annotations.ui.session import Desk, attempt, current_sample, mode, plain, set_mode, tell
from annotations.ui.text_component import live_text
from curation.codes import explain_flag
from curation.record import ROLES, Message, Role

# Above this a browser's text area is slow, and each pause in typing would send all of it.
_EDITABLE_CHARS = 100_000


def edit(desk: Desk, item: Item) -> None:
    """Show the editor of a sample."""
    length = sum(len(m.content) for m in item.messages)
    if length > _EDITABLE_CHARS:
        st.warning(desk.say("too_long_to_edit", n=length))
        st.button(desk.say("cancel"), shortcut="Esc", on_click=set_mode, args=("look",))
        return
    draft = desk.store.drafts.get(item.id, desk.who)
    if draft is not None and draft.revision != item.state.revision:
        _merge(desk, item, draft)
        return
    _turns(desk, item)


@st.fragment
def _turns(desk: Desk, item: Item) -> None:
    """Show the part that runs again while the annotator types; the rest of the page stays."""
    if mode() != "edit" or current_sample() != item.id:
        st.rerun()  # a key has left the editor, and a fragment's own run does not draw the rest of the page
    turns = _working(desk, item)
    st.caption(desk.say("editing"))
    written, beside = st.columns([3, 2], gap="medium")
    with written:
        for index, turn in enumerate(turns):
            _turn(desk, item, turns, index, turn)
        st.button(desk.say("turn_add"), icon=":material/add:", on_click=_add, args=(desk, item), key=f"add {item.id}")
    with beside:
        st.subheader(desk.say("checks"), anchor=False)
        _checks(desk, turns)
        st.subheader(desk.say("changes"), anchor=False)
        changed = markup.diff(item.sample.messages, turns, desk.names, desk.say("diff_too_long"))
        st.html(changed) if changed else st.caption(desk.say("no_changes"))
    with st.container(horizontal=True, key="edit_actions"):
        st.button(
            desk.say("save"),
            type="primary",
            shortcut="Ctrl+Enter",
            on_click=_save,
            args=(desk, item),
            key=f"save {item.id}",
        )
        st.button(desk.say("cancel"), shortcut="Esc", on_click=_stop, key=f"cancel {item.id}")
        st.button(desk.say("discard"), type="tertiary", on_click=_discard, args=(desk, item), key=f"discard {item.id}")


def _turn(desk: Desk, item: Item, turns: tuple[Message, ...], index: int, turn: Message) -> None:
    number = index + 1
    key = _key(item, index)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.selectbox(
                desk.say("turn_role", n=number),
                ROLES,
                index=ROLES.index(turn.role),
                format_func=lambda role: desk.names.of(Message(role, "")),
                key=f"role {key}",
                label_visibility="collapsed",
                width=160,
                on_change=_set_role,
                args=(desk, item, index, f"role {key}"),
            )
            for label, icon, move, off in (
                ("turn_up", "arrow_upward", -1, index == 0),
                ("turn_down", "arrow_downward", 1, number == len(turns)),
            ):
                st.button(
                    f"{desk.say(label)} {number}",
                    icon=f":material/{icon}:",
                    type="tertiary",
                    disabled=off,
                    on_click=_move,
                    args=(desk, item, index, move),
                    key=f"{label} {key}",
                )
            st.button(
                f"{desk.say('turn_remove')} {number}",
                icon=":material/delete:",
                type="tertiary",
                disabled=len(turns) == 1,
                on_click=_remove,
                args=(desk, item, index),
                key=f"remove {key}",
            )
        last_reply = max((i for i, m in enumerate(turns) if m.role == "assistant"), default=len(turns) - 1)
        live_text(
            desk.say("turn_text", n=number),
            turn.content,
            key=key,
            focus=index == last_reply,
            on_text=partial(_type, desk, item),
            on_done=partial(_save, desk, item),
            on_leave=_stop,
        )


def _checks(desk: Desk, turns: tuple[Message, ...]) -> None:
    found = check_messages(turns, desk.persona)
    for flag in found:
        st.html(markup.flag(explain_flag(flag.code, desk.language), flag.detail))
    if not found:
        st.caption(desk.say("checks_fine"))


def _merge(desk: Desk, item: Item, draft: Draft) -> None:
    """Show the newest revision beside a draft that was begun on an older one."""
    st.warning(desk.say("merge_title"), icon=":material/merge:")
    theirs, yours = st.columns(2)
    with theirs:
        st.subheader(desk.say("merge_theirs"), anchor=False)
        st.html(markup.turns(item.messages, desk.names, desk.cut))
        st.button(desk.say("merge_take_theirs"), on_click=_discard, args=(desk, item))
    with yours:
        st.subheader(desk.say("merge_yours"), anchor=False)
        changed = markup.diff(item.messages, draft.messages, desk.names, desk.say("diff_too_long"))
        st.html(changed) if changed else st.caption(desk.say("no_changes"))
        st.button(desk.say("merge_keep_mine"), type="primary", on_click=_keep_mine, args=(desk, item, draft))


# ---------------------------------------------------------------- what the widgets do


def _key(item: Item, index: int) -> str:
    """Return the key of a turn's text area: everything that its first content depends on.

    When turns are moved the keys change, so Streamlit creates new areas instead of showing an old text in a new place.
    """
    return f"text {item.id} {item.state.revision} {st.session_state.get('shape', 0)} {index}"


def _working(desk: Desk, item: Item) -> tuple[Message, ...]:
    draft = desk.store.drafts.get(item.id, desk.who)
    return item.messages if draft is None else draft.messages


@attempt
def _store_turns(desk: Desk, item: Item, turns: list[Message], moved: bool = False) -> None:
    desk.store.drafts.save(item.id, desk.who, item.state.revision, turns)
    if moved:
        st.session_state["shape"] = st.session_state.get("shape", 0) + 1


def _typed(desk: Desk, item: Item) -> list[Message]:
    """Return the turns with the text areas' contents: a page's changes may arrive in any order."""
    turns = list(_working(desk, item))
    for index, turn in enumerate(turns):
        text = (st.session_state.get(_key(item, index)) or {}).get("text")
        if text is not None:
            turns[index] = replace(turn, content=text)
    return turns


def _type(desk: Desk, item: Item) -> None:
    if current_sample() == item.id:  # otherwise Ctrl+Enter came first
        _store_turns(desk, item, _typed(desk, item))


def _set_role(desk: Desk, item: Item, index: int, key: str) -> None:
    turns = _typed(desk, item)
    role: Role = st.session_state[key]
    # The name was the old speaker's.
    turns[index] = replace(turns[index], role=role, name=None)
    _store_turns(desk, item, turns)


def _move(desk: Desk, item: Item, index: int, by: int) -> None:
    turns = _typed(desk, item)
    turns[index], turns[index + by] = turns[index + by], turns[index]
    _store_turns(desk, item, turns, moved=True)


def _remove(desk: Desk, item: Item, index: int) -> None:
    turns = _typed(desk, item)
    del turns[index]
    _store_turns(desk, item, turns, moved=True)


def _add(desk: Desk, item: Item) -> None:
    turns = _typed(desk, item)
    role: Role = "user" if turns[-1].role == "assistant" else "assistant"
    _store_turns(desk, item, [*turns, Message(role, "")], moved=True)


def _save(desk: Desk, item: Item) -> None:
    if current_sample() != item.id:
        return  # pressed twice
    turns = tuple(_typed(desk, item))
    missing = [f for f in check_messages(turns, desk.persona) if f.code in UNFINISHED]
    if missing:
        tell(explain_flag(missing[0].code, desk.language), problem=True)
    elif turns == item.messages:
        decide(desk, item, "approve")
    else:
        decide(desk, item, "rewrite", messages=turns)


def _stop() -> None:
    set_mode("look")


@attempt
def _discard(desk: Desk, item: Item) -> None:
    desk.store.drafts.drop(item.id, desk.who)
    set_mode("look")


@attempt
def _keep_mine(desk: Desk, item: Item, draft: Draft) -> None:
    desk.store.drafts.save(item.id, desk.who, item.state.revision, draft.messages)
    set_mode("edit")


def draft_note(desk: Desk, draft: Draft) -> str:
    """Return the note that there is an unfinished rewrite."""
    return plain(desk.say("draft_found", time=draft.time[:16].replace("T", " ")))
