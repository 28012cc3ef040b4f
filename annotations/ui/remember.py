"""Stay signed in after a reload: the signed token as a cookie that scripts cannot read.

Streamlit can read cookies and cannot set them. A component in the page hands the token to a route of the same server,
and the route answers with the cookie.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from annotations.signing import TOKEN_SECONDS, Way, signed, store_mark
from annotations.store.review_store import ReviewStore

_MOST_BYTES = 4_096

_JS = """
export default function ({ data }) {
  fetch(data.address, {
    method: data.token ? "POST" : "DELETE",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token: data.token }),
  }).catch((error) => console.warn("The sign-in ends with this page:", error));
}
"""


def cookie_name(store: ReviewStore) -> str:
    """Return the name of the store's cookie: browsers send one computer's cookies to all of its ports."""
    return f"inosuke_desk_{store_mark(store)}"


def remembered(store: ReviewStore) -> str:
    """Return the token that the browser sent when it opened the page, or an empty text."""
    return str(st.context.cookies.get(cookie_name(store), ""))


def remember(address: str, token: str) -> None:
    """Let the browser keep a token, or drop the one that it has (an empty text). ``address`` is the desk's routes'."""
    component = st.components.v2.component("remember", html="<span hidden></span>", js=_JS)
    component(key="remember", data={"address": f"{address}/session", "token": token}, height=0)


def route(prefix: str, way: Callable[[], Way], store: Callable[[], ReviewStore]) -> Route:
    """Return the route under ``prefix`` (``/desk``) that sets the cookie and deletes it."""

    async def session(request: Request) -> Response:
        # Another site's page cannot send JSON here without the browser asking first, which this server denies.
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return Response("expected application/json", status_code=415, media_type="text/plain")
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                return Response("too large", status_code=413, media_type="text/plain")
        return await run_in_threadpool(_answer, request, body)

    def _answer(request: Request, body: bytes) -> Response:
        answer = Response(status_code=204, headers={"Cache-Control": "no-store"})
        path = prefix.rpartition("/")[0] or "/"
        secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", ""))
        name = cookie_name(store())
        if request.method == "DELETE":
            answer.delete_cookie(name, path=path, secure=secure, httponly=True, samesite="strict")
            return answer
        try:
            token = json.loads(body)["token"]
        except (ValueError, KeyError, TypeError):
            return Response("expected a token", status_code=422, media_type="text/plain")
        if not isinstance(token, str) or signed(store(), token, way()) is None:
            return Response("the token does not count", status_code=401, media_type="text/plain")
        answer.set_cookie(
            name, token, max_age=TOKEN_SECONDS, path=path, secure=secure, httponly=True, samesite="strict"
        )
        return answer

    return Route(f"{prefix}/session", session, methods=["POST", "DELETE"])
