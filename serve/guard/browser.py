"""Headers for the browser, and requests that are refused before any route runs.

A local server has no password, so another site that is open in the same browser must neither read from it nor make it
work. Only the origins that the operator names may use the API, without cookies or passwords that a browser remembers.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, abort, request

from serve.config import ServerConfig

# What pages of other origins may use where the operator names them: the APIs, not the page, feedback or monitoring.
_FOR_GUESTS = (
    "/v1/", "/api/chat", "/api/room", "/api/info", "/health", "/props", "/slots", "/tokenize", "/openapi.json",
)  # fmt: skip


def protect(app: Flask, config: ServerConfig) -> None:
    """Add the checks and the headers to an application."""
    policy = "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {config.frame_ancestors}",
        ]
    )
    hosts, guests = config.hosts, frozenset(config.cors)

    @app.before_request
    def refuse_other_hosts() -> None:
        # Not Flask's TRUSTED_HOSTS: werkzeug 3.1 cuts a trusted name at its first colon, and so never trusts [::1].
        if hosts is not None and urlsplit(f"//{request.host}").hostname not in hosts:
            abort(400, f"this server does not answer to the host {request.host!r}. Expected {', '.join(hosts)}.")

    @app.before_request
    def answer_preflight() -> Response | None:
        # Before the keys: a browser asks without one whether it may send one.
        if (
            request.method != "OPTIONS"
            or not _is_guest(guests)
            or "Access-Control-Request-Method" not in request.headers
        ):
            return None
        response = Response(status=204)
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        # OpenAI's client sends a dozen headers of its own. Whoever may send a key may send those too.
        response.headers["Access-Control-Allow-Headers"] = request.headers.get("Access-Control-Request-Headers", "")
        response.headers["Access-Control-Max-Age"] = "600"
        if request.headers.get("Access-Control-Request-Private-Network") == "true":
            response.headers["Access-Control-Allow-Private-Network"] = "true"
        return response

    @app.before_request
    def refuse_other_origins() -> None:
        if request.method not in ("GET", "HEAD", "OPTIONS") and not _same_origin() and not _is_guest(guests):
            abort(403, "this request comes from another site. Expected one from the chat page or from a program.")

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if request.path.startswith(("/api/", "/v1/")):
            response.headers["Cache-Control"] = "no-store"
        if guests and request.path.startswith(_FOR_GUESTS):
            response.vary.add("Origin")
            if _is_guest(guests):
                response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
                response.headers["Access-Control-Expose-Headers"] = "Retry-After, Inosuke-Ignored"
        return response


def _is_guest(guests: frozenset[str]) -> bool:
    """Return whether a page of an origin that the operator named asks for what such a page may have."""
    return request.headers.get("Origin") in guests and request.path.startswith(_FOR_GUESTS)


def _same_origin() -> bool:
    """Return whether a request comes from this site, or from a program rather than a site.

    As in Go's ``http.CrossOriginProtection`` (https://go.dev/src/net/http/csrf.go): browsers send Sec-Fetch-Site, older
    ones only the Origin, programs neither. Hosts are compared without the scheme, which a proxy in front changes.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc == request.host
    except ValueError:  # a malformed address, such as `http://[`
        return False
