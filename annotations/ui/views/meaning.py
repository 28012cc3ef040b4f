"""Search by meaning: the samples of the queue that say nearly what the annotator typed, the nearest first."""

from __future__ import annotations

import streamlit as st

from annotations.meaning.index import Hit
from annotations.store.types import UnknownSample
from annotations.ui import markup
from annotations.ui.html import show_html
from annotations.ui.sample.meaning_page import index_of, not_ready
from annotations.ui.session import Desk, go_to, plain, show_view, to_address

_MOST = 20
_AGAIN_SECONDS = 1.0


def show(desk: Desk) -> None:
    """Show the search field and what it finds."""
    if "meaning" not in st.session_state:
        st.session_state["meaning"] = st.query_params.get("meaning", "")
    typed = st.text_input(desk.say("meaning_ask"), key="meaning", on_change=to_address, args=("meaning",))
    st.caption(desk.say("meaning_rule"))
    index = index_of(desk)
    state = index.state()
    if state.status == "reading":
        _wait(desk)
    elif state.status == "failed":
        st.html(not_ready(desk, state).html)
    elif typed.strip():
        for hit in index.search(typed, _MOST):
            _show(desk, hit)


@st.fragment(run_every=_AGAIN_SECONDS)
def _wait(desk: Desk) -> None:
    """Show how far the model is, each second; draw the whole page when it has read everything."""
    state = index_of(desk).state()
    if state.status != "reading":
        st.rerun()
    st.html(not_ready(desk, state).html)


def _show(desk: Desk, hit: Hit) -> None:
    try:
        item = desk.store.queue.item(hit.sample_id, desk.who)
    except UnknownSample:  # a queue that was loaded a moment ago no longer has it
        return
    with st.container(border=True):
        words = [f"{hit.cosine:.3f}", desk.say(f"status_{item.status}"), item.sample.source.locator]
        st.caption(plain(" · ".join(words)))
        show_html(markup.turns(item.messages, desk.names, desk.cut), desk.say("none"))
        st.button(desk.say("open_this"), on_click=_open, args=(hit.sample_id,), key=f"meaning {hit.sample_id}")


def _open(sample_id: str) -> None:
    go_to(sample_id)
    show_view("review")
