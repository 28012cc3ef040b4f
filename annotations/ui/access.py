"""How people sign in at this server: by a name, with a password, or at an identity provider (OIDC).

On this computer alone a name is enough: whoever can open the page can read the files, too. As soon as others can reach
it, a name proves nothing. ``INOSUKE_DESK_AUTH=password`` (or ``oidc``) demands a sign-in whatever the address is: for
a desk on loopback behind a proxy, which this program cannot always notice.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit

import streamlit as st

from annotations.signing import Way
from curation.errors import UsageError

VARIABLE = "INOSUKE_DESK_AUTH"

# What proxies add to a request that came from elsewhere.
_FORWARDED = (
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "tailscale-user-login",
    "cf-connecting-ip",
)


def address() -> str:
    """Return the path under which the desk's routes lie: ``/desk``, or behind ``server.baseUrlPath``."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}/desk" if base else "/desk"


def way() -> Way:
    """Return how people sign in at this server. Raises UsageError for an INOSUKE_DESK_AUTH that is not known."""
    asked = os.environ.get(VARIABLE, "").strip().lower()
    if asked in ("password", "oidc"):
        return cast(Way, asked)
    if asked:
        raise UsageError(
            f"{VARIABLE} is {asked!r}. Expected `password` or `oidc`; without it, a name is enough on this computer "
            "and a password is asked for elsewhere."
        )
    if is_loopback(st.get_option("server.address")):
        return "name"
    return "oidc" if has_oidc() else "password"


def is_loopback(address: str | None) -> bool:
    """Return whether a server at this address is reachable from its own computer only; no address means all."""
    if address == "localhost" or (address or "").endswith(".localhost"):
        return True
    try:
        return ip_address((address or "").strip("[]")).is_loopback
    except ValueError:
        return False


def from_elsewhere(headers: Mapping[str, str]) -> str | None:
    """Return the header that shows that a proxy passed a request on, or that it is for another host.

    ``headers`` as Streamlit gives them, in any case. Returns None for a request from this computer.
    """
    given = {name.lower(): value for name, value in headers.items()}
    passed_on = next((name for name in _FORWARDED if given.get(name)), None)
    if passed_on is not None:
        return passed_on
    host = given.get("host", "")
    return "host" if host and not is_loopback(urlsplit(f"//{host}").hostname) else None


def has_oidc() -> bool:
    """Return whether Streamlit's secrets name an identity provider."""
    return bool(st.secrets.load_if_toml_exists() and "auth" in st.secrets)
