"""Which one sounds more like the character: two replies side by side, in an order that tells nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import streamlit as st

from annotations.team.choices import pairs_of, vote, votes, waiting, withdraw
from annotations.ui import markup
from annotations.ui.session import Desk, attempt, tell
from curation.record import Message
from curation.review.choices import Pair


@st.cache_data(show_spinner=False, max_entries=2)
def _pairs(_desk: Desk, models: str, stamp: str | None, last: int) -> list[Pair]:
    return pairs_of(_desk.store, Path(models))


def show(desk: Desk) -> None:
    """Show the annotator's next pair."""
    found = _pairs(desk, str(desk.folders.root / "models"), desk.store.queue.stamp(), desk.store.log.last_seq())
    left = waiting(found, votes(desk.store), desk.who)
    if not left:
        st.info(desk.say("choice_none"), icon=":material/done_all:")
        st.button(desk.say("undo"), shortcut="u", on_click=_undo, args=(desk,), key="choice_undo")
        return
    pair = left[0]
    st.subheader(desk.say("choice_which", name=desk.persona.name), anchor=False)
    st.caption(desk.say("choice_left", n=len(left)))
    st.html(markup.turns(pair.prompt, desk.names, desk.cut))
    sides: tuple[Literal["a", "b"], ...] = ("b", "a") if pair.swapped_for(desk.who) else ("a", "b")
    for number, (column, side) in enumerate(zip(st.columns(2), sides, strict=True), 1):
        with column:
            st.html(markup.turns([Message("assistant", pair.a if side == "a" else pair.b)], desk.names, desk.cut))
            st.button(
                desk.say(f"choice_{number}"),
                shortcut=str(number),
                on_click=_vote,
                args=(desk, pair, side),
                key=f"choice {number} {pair.id}",
                width="stretch",
            )
    with st.container(horizontal=True):
        st.button(
            desk.say("choice_0"), shortcut="0", on_click=_vote, args=(desk, pair, "none"), key=f"choice 0 {pair.id}"
        )
        st.button(desk.say("undo"), shortcut="u", on_click=_undo, args=(desk,), key="choice_undo")


@attempt
def _vote(desk: Desk, pair: Pair, choice: Literal["a", "b", "none"]) -> None:
    vote(desk.store, pair, desk.who, choice)


@attempt
def _undo(desk: Desk) -> None:
    tell(desk.say("nothing_to_undo" if withdraw(desk.store, desk.who) is None else "audit_withdrawn"))
