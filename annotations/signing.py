"""Signed tokens: how a browser proves who signed in at the desk, after a reload and in its requests.

Comes in: a store and a name. Goes out: a token, and from a token the name. The store's secret signs it, so a token of
one store means nothing to another. Knows nothing of cookies, pages or passwords.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Literal, Protocol

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

# How a person signed in. A desk accepts only tokens of its own way: who only picked a name on one computer must not be
# signed in when the same store is served with passwords later.
Way = Literal["name", "password", "oidc"]

# A browser stays signed in for this long. A working week and a holiday; a password typed once a month is not a burden.
TOKEN_SECONDS = 30 * 24 * 3600

_SECRET = "desk_secret"  # noqa: S105 (the key of a row, not a secret)


class _Meta(Protocol):
    def setdefault(self, key: str, value: str) -> str: ...


class _People(Protocol):
    def mark(self, name: str) -> str | None: ...


class Signs(Protocol):
    """The parts of a review store that signing needs."""

    @property
    def meta(self) -> _Meta:
        """Values by key."""

    @property
    def people(self) -> _People:
        """Who may review."""

    @property
    def clock(self) -> Callable[[], float]:
        """Seconds since 1970."""


def sign(store: Signs, name: str, way: Way = "name") -> str:
    """Return a token of a known person: letters, digits and ``-_.``, fit for a cookie, a header or an address."""
    return _serializer(store).dumps([name, way, store.people.mark(name) or ""])


def signed(store: Signs, token: str, way: Way | None = None) -> str | None:
    """Return the name in a token, None where it does not count.

    It counts for :data:`TOKEN_SECONDS`, until the person's password changes, while the person is in the store, and,
    if ``way`` is given, only after a sign-in of that kind. The comparison takes the same time for every wrong token.
    """
    try:
        name, how, mark = _serializer(store).loads(token, max_age=TOKEN_SECONDS)
    except (BadData, ValueError, TypeError):  # ValueError: signed, but of another shape (a later version's)
        return None
    if way is not None and how != way:
        return None
    current = store.people.mark(name)
    return name if current is not None and secrets.compare_digest(current, mark) else None


def store_mark(store: Signs) -> str:
    """Return eight hexadecimal digits that name this store, and give nothing of its secret away.

    Browsers send one cookie to every port of a computer: two desks on it need two names.
    """
    return hashlib.sha256(f"name of the store {_secret(store)}".encode()).hexdigest()[:8]


def _secret(store: Signs) -> str:
    return store.meta.setdefault(_SECRET, secrets.token_hex(32))


def _serializer(store: Signs) -> URLSafeTimedSerializer:
    clock = store.clock

    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(clock())

    return URLSafeTimedSerializer(
        _secret(store), salt="desk", signer=Signer, signer_kwargs={"digest_method": hashlib.sha256}
    )
