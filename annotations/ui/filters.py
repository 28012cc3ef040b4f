"""The sidebar's filters. They are in the page's address, so a link leads to the same selection."""

from __future__ import annotations

import streamlit as st

from annotations.store.queries import STATUS_FILTERS, Filters
from annotations.ui.session import Desk, from_address, to_address

_FIELDS = ("kind", "source", "language", "flag", "speaker")


@st.cache_data(show_spinner=False, max_entries=4)
def _choices(_desk: Desk, stamp: str | None) -> dict[str, list[str]]:
    return _desk.store.queue.choices()


def choose_filters(desk: Desk) -> Filters:
    """Show the filters and return their values."""
    offered = _choices(desk, desk.store.queue.stamp())
    from_address("status", STATUS_FILTERS, STATUS_FILTERS[0])
    status = st.selectbox(
        desk.say("status"),
        STATUS_FILTERS,
        format_func=lambda s: desk.say(f"status_{s}"),
        key="status",
        on_change=to_address,
        args=("status", STATUS_FILTERS[0]),
    )
    values: dict[str, str] = {}
    for field in _FIELDS:
        if len(offered[field]) > (field in ("kind", "source", "language")):
            from_address(field, offered[field])
            values[field] = (
                st.selectbox(
                    desk.say(field),
                    offered[field],
                    placeholder=desk.say("any"),
                    key=field,
                    on_change=to_address,
                    args=(field,),
                )
                or ""
            )
    if "text" not in st.session_state:
        st.session_state["text"] = st.query_params.get("text", "")
    text = st.text_input(desk.say("text"), key="text", on_change=to_address, args=("text",))
    return Filters(status=status, text=text, **values)
