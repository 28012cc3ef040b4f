"""Sign-in. On this computer alone a name is enough; elsewhere it takes OIDC or a password."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import streamlit as st

from annotations.ui.session import Desk, attempt, go_to, tell


def sign_in(desk: Desk) -> Desk | None:
    """Return the desk with its annotator, None while the page asks for one."""
    if is_loopback(st.get_option("server.address")):
        who = st.query_params.get("who", "")
        ask = _ask_name
    elif _has_oidc():
        who = str(st.user.get("email") or st.user.get("name") or "") if st.user.is_logged_in else ""
        if who:
            desk.store.people.add(who)
        ask = _ask_oidc
    else:
        # Anyone can write a name into the address: here only a sign-in with a password counts.
        who = st.session_state.get("signed_in", "")
        ask = _ask_password
    people = desk.store.people.roles()
    if who in people:
        return replace(desk, who=who, role=people[who])
    ask(desk)
    return None


def is_loopback(address: str | None) -> bool:
    """Return whether a server at this address is reachable from its own computer only; no address means all."""
    if address == "localhost":
        return True
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False


def _has_oidc() -> bool:
    return bool(st.secrets.load_if_toml_exists() and "auth" in st.secrets)


def _ask_name(desk: Desk) -> None:
    people = desk.store.people.roles()
    st.header(desk.say("who"))
    known = st.pills(desk.say("who_pick"), list(people), key="known_name") if people else None
    st.text_input(desk.say("who_new" if people else "who_first"), max_chars=60, key="new_name", autocomplete="username")
    st.checkbox(desk.say("who_adjudicator"), key="adjudicates", disabled=known is not None)
    st.button(desk.say("sign_in"), type="primary", on_click=_enter, args=(desk,))


@attempt
def _enter(desk: Desk) -> None:
    # Read now, not when the button was drawn: the user may have typed and clicked at once.
    name = st.session_state.get("known_name") or " ".join(st.session_state["new_name"].split())
    if not name:
        return
    desk.store.people.add(name, "adjudicator" if st.session_state["adjudicates"] else "annotator")
    st.query_params["who"] = name


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
    st.text_input(desk.say("name"), key="login_name", autocomplete="username")
    st.text_input(desk.say("password"), type="password", key="login_password", autocomplete="current-password")
    st.button(desk.say("sign_in"), type="primary", on_click=_check, args=(desk,))


@attempt
def _check(desk: Desk) -> None:
    name, password = st.session_state["login_name"].strip(), st.session_state["login_password"]
    if desk.store.people.check_password(name, password):
        st.session_state["signed_in"] = name
    else:
        tell(desk.say("wrong_password"), problem=True)


def show_annotator(desk: Desk) -> None:
    """Show in the sidebar who is signed in, with a button to sign out."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{desk.who} · {desk.say('role_' + desk.role)}")
        st.button(desk.say("sign_out"), on_click=_leave, args=(desk,), type="tertiary", key="sign_out")


@attempt
def _leave(desk: Desk) -> None:
    sample = st.query_params.get("sample")
    if sample:
        desk.store.queue.release(sample, desk.who)
    go_to(None)
    st.query_params.pop("who", None)
    if st.session_state.pop("signed_in", None) is None and _has_oidc():
        st.logout()
