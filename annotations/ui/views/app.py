"""The review desk's page: language, sign-in, filters, and one of the views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from annotations.ui import filters, highlight, markup, session
from annotations.ui.page_language import set_page_language
from annotations.ui.sample import guidelines_page
from annotations.ui.session import Desk
from annotations.ui.views import (
    adjudication,
    audit,
    casting,
    choices,
    dashboard,
    history,
    many,
    me,
    meaning,
    review,
    sign_in,
)
from annotations.words import say
from curation.codes import Language
from curation.errors import InosukeError

VIEWS: dict[str, Callable[[Desk], None]] = {
    "review": review.show,
    "history": history.show,
    "adjudication": adjudication.show,
    "audit": audit.show,
    "choices": choices.show,
    "meaning": meaning.show,
    "many": many.show,
    "casting": casting.show,
    "dashboard": dashboard.show,
    "me": me.show,
}


def main() -> None:
    """Draw the page. Problems with files or the database become an error message on it."""
    # An emoji: the browser would fetch a material icon from another server.
    st.set_page_config(page_title="AI-Inosuke · review", page_icon="📝", layout="wide")
    st.html(markup.STYLE + guidelines_page.STYLE + highlight.STYLE)
    with st.sidebar:
        session.from_address("lang", ("vi", "en"), "vi")
        language: Language = st.radio(
            "Ngôn ngữ / Language",
            ("vi", "en"),
            format_func=lambda code: {"vi": "Tiếng Việt", "en": "English"}[code],
            horizontal=True,
            key="lang",
            on_change=session.to_address,
            args=("lang", "vi"),
        )
    set_page_language(language)
    try:
        _page(language)
    except InosukeError as error:
        st.error(session.plain(str(error)), icon=":material/error:")
        st.button(say("reload", language))


def _page(language: Language) -> None:
    desk = session.open_desk(language)
    try:
        session.bring_queue(desk)
    except InosukeError as error:
        if desk.folders.queue.is_file() or desk.store.queue.stamp() is not None:
            raise
        _no_queue(desk, error)
        return
    session.show_messages()
    signed_in = sign_in.sign_in(desk)
    if signed_in is None:
        return
    desk = signed_in
    with st.sidebar:
        sign_in.show_annotator(desk)
        st.subheader(desk.say("filters"), anchor=False)
        desk = replace(desk, filters=filters.choose_filters(desk))
        with st.expander(desk.say("guidelines")):
            st.html(guidelines_page.guidelines_html(desk))
    session.from_address("view", VIEWS, "review")
    view = st.segmented_control(
        desk.say("views"),
        list(VIEWS),
        required=True,
        format_func=lambda name: desk.say(f"view_{name}"),
        key="view",
        on_change=session.to_address,
        args=("view", "review"),
        label_visibility="collapsed",
    )
    VIEWS[str(view or "review")](desk)


def _no_queue(desk: Desk, error: InosukeError) -> None:
    st.title(desk.say("title"), anchor=False)
    st.info(desk.say("no_queue"), icon=":material/inbox:")
    st.text(desk.say("no_queue_hint"))
    st.code("make dataset", language=None)
    st.caption(session.plain(str(error)))
    st.button(desk.say("reload"))
