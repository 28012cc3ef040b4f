"""Sign-in. On this computer alone a name is enough; elsewhere it takes a password or OIDC.

Who is signed in is a signed token: in the session, and in a cookie of that browser, so that a reload keeps it. A name
in the page's address only fills the field in.
"""

from __future__ import annotations

import streamlit as st

from annotations.signing import sign, signed
from annotations.ui import remember
from annotations.ui.access import address, from_elsewhere, way
from annotations.ui.session import Desk, attempt, go_to, tell
from curation.errors import UsageError

# Streamlit's hint under a field of a form ("Press Enter to submit form") is in English only.
_STYLE = "<style>[data-testid=InputInstructions] { display: none; }</style>"
_TOKEN, _LEFT = "token", "left"


def sign_in(desk: Desk) -> Desk | None:
    """Return the desk with its annotator, None while the page asks for one. Raises UsageError: see ``access.way``."""
    how = way()
    if how == "name" and (header := from_elsewhere(st.context.headers)) is not None:
        _refuse(desk, header)
        return None
    if how == "oidc":
        who = str(st.user.get("email") or st.user.get("name") or "") if st.user.is_logged_in else ""
        if who:
            desk.store.people.add(who)
    else:
        who = signed(desk.store, _token(desk), how) or ""
    role = desk.store.people.roles().get(who)
    if role is None:
        {"name": _ask_name, "oidc": _ask_oidc, "password": _ask_password}[how](desk)
        if st.session_state.get(_LEFT):
            remember.remember(address(), "")
        return None
    if how != "oidc" and _token(desk) != remember.remembered(desk.store):
        remember.remember(address(), _token(desk))
    return desk.signed_in(who, role, how)


def _token(desk: Desk) -> str:
    if _TOKEN in st.session_state:
        return str(st.session_state[_TOKEN])
    # The cookies are those of the moment when the page was opened: who has left since then is still in them.
    return "" if st.session_state.get(_LEFT) else remember.remembered(desk.store)


def _refuse(desk: Desk, header: str) -> None:
    st.error(desk.say("elsewhere", header=header), icon=":material/lock:")
    st.text(desk.say("elsewhere_hint"))
    st.code("INOSUKE_DESK_AUTH=password make review", language=None)


# ---------------------------------------------------------------- by name


def _ask_name(desk: Desk) -> None:
    people = desk.store.people.roles()
    asked = st.query_params.get("who", "")
    st.header(desk.say("who"))
    st.html(_STYLE)
    # A form: Enter in the field is the button.
    with st.form("sign_in_form", border=False):
        if people:
            chosen = asked if asked in people else None
            st.pills(desk.say("who_pick"), list(people), default=chosen, key="known_name")
        st.text_input(
            desk.say("who_new" if people else "who_first"),
            value="" if asked in people else asked,
            max_chars=60,
            key="new_name",
            autocomplete="username",
        )
        if not people:
            st.checkbox(desk.say("who_adjudicator"), key="adjudicates")
        st.form_submit_button(desk.say("sign_in"), type="primary", on_click=_enter, args=(desk,))


@attempt
def _enter(desk: Desk) -> None:
    typed = st.session_state["new_name"].strip() or st.session_state.get("known_name") or ""
    if not typed:
        raise UsageError(desk.say("who_empty"))
    name = desk.store.people.join(typed, adjudicates=st.session_state.get("adjudicates", False))
    _keep(desk, name)


def _keep(desk: Desk, name: str) -> None:
    st.session_state[_TOKEN] = sign(desk.store, name, way())
    st.session_state.pop(_LEFT, None)
    st.query_params.pop("who", None)


# ---------------------------------------------------------------- elsewhere


def _ask_oidc(desk: Desk) -> None:
    st.header(desk.say("who"))
    st.button(desk.say("oidc"), type="primary", on_click=st.login)


def _ask_password(desk: Desk) -> None:
    if not desk.store.people.have_passwords():
        st.error(desk.say("closed"), icon=":material/lock:")
        st.text(desk.say("closed_hint"))
        st.code("inosuke review annotator NAME --password", language=None)
        return
    st.header(desk.say("who"))
    st.html(_STYLE)
    with st.form("sign_in_form", border=False):
        name = st.query_params.get("who", "")
        st.text_input(desk.say("name"), value=name, key="login_name", autocomplete="username")
        st.text_input(desk.say("password"), type="password", key="login_password", autocomplete="current-password")
        st.form_submit_button(desk.say("sign_in"), type="primary", on_click=_check, args=(desk,))


@attempt
def _check(desk: Desk) -> None:
    name, password = st.session_state["login_name"].strip(), st.session_state["login_password"]
    if desk.store.people.check_password(name, password):
        _keep(desk, name)
    else:
        tell(desk.say("wrong_password"), problem=True)


# ---------------------------------------------------------------- who is signed in


def show_annotator(desk: Desk) -> None:
    """Show in the sidebar who is signed in, with a button to sign out."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{desk.who} · {desk.say('role_' + desk.role)}")
        st.button(desk.say("sign_out"), on_click=_leave, args=(desk,), type="tertiary", key="sign_out")


def plain_role(desk: Desk) -> str:
    """Return the annotator's name and role."""
    return f"{desk.who} · {desk.say('role_' + desk.role)}"


@attempt
def _leave(desk: Desk) -> None:
    sample = st.query_params.get("sample")
    if sample:
        desk.store.queue.release(sample, desk.who)
    go_to(None)
    st.session_state.pop(_TOKEN, None)
    st.session_state[_LEFT] = True
    if desk.way == "oidc":
        st.logout()
