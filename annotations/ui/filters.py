"""The sidebar's filters. They are in the page's address, so a link leads to the same selection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from annotations.flag_words import language_name
from annotations.search_text import BadPattern, parse
from annotations.store.queries import ANY_FLAG, QUEUES, STATUS_FILTERS, Filters
from annotations.ui.session import Desk, plain, to_address
from curation.codes import explain_flag

_FIELDS = ("kind", "source", "language", "flag", "speaker")


@st.cache_data(show_spinner=False, max_entries=4)
def _choices(_desk: Desk, stamp: str | None) -> dict[str, list[str]]:
    return _desk.store.queue.choices()


def choose_filters(desk: Desk) -> Filters:
    """Show the filters and return their values. A search that cannot be asked for is not, and the page says why."""
    offered = _choices(desk, desk.store.queue.stamp())
    status = _choose(
        desk, "status", desk.say("status"), STATUS_FILTERS, lambda s: desk.say(f"status_{s}"), STATUS_FILTERS[0]
    )
    queue = _choose(desk, "queue", desk.say("queue"), QUEUES, lambda q: desk.say(f"queue_{q or 'usual'}"), QUEUES[0])
    words: dict[str, Callable[[str], str]] = {
        "flag": lambda code: desk.say("any_flag") if code == ANY_FLAG else explain_flag(code, desk.language),
        "language": lambda code: language_name(code, desk.language),
    }
    if offered["flag"]:
        offered = {**offered, "flag": [ANY_FLAG, *offered["flag"]]}
    values = {
        field: _choose(desk, field, desk.say(field), offered[field], words.get(field, str))
        for field in _FIELDS
        if len(offered[field]) > (field in ("kind", "source", "language"))
    }
    if "text" not in st.session_state:
        st.session_state["text"] = st.query_params.get("text", "")
    text = st.text_input(desk.say("text"), key="text", on_change=to_address, args=("text",), help=desk.say("text_help"))
    try:
        parse(text)
    except BadPattern as error:
        st.error(plain(str(error)))
        text = ""
    return Filters(status=status, queue=queue, text=text, **values)


def _choose(
    desk: Desk, name: str, label: str, options: Sequence[str], words: Callable[[str], str], default: str | None = None
) -> str:
    """Show one filter. Without a default, nothing may be chosen, which is an empty text."""
    # The browser keeps the words that it shows for a choice: in another language it is another box.
    key = f"{name} {desk.language}"
    if key not in st.session_state:
        asked = st.query_params.get(name)
        st.session_state[key] = asked if asked in options else default
    chosen = st.selectbox(
        label,
        options,
        format_func=words,
        placeholder=desk.say("any"),
        key=key,
        on_change=_to_address,
        args=(name, key, default),
    )
    return chosen or ""


def _to_address(name: str, key: str, default: str | None) -> None:
    value = st.session_state[key]
    if value in (None, "", default):
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value
