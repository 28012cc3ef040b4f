"""Headers for the browser, and requests that are refused before any route runs.

A local server has no password, so another site that is open in the same browser must neither read from it nor make it
work.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, abort, request

from serve.config import ServerConfig


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
    hosts = config.hosts

    @app.before_request
    def refuse_other_hosts() -> None:
        # Not Flask's TRUSTED_HOSTS: werkzeug 3.1 cuts a trusted name at its first colon, and so never trusts [::1].
        if hosts is not None and urlsplit(f"//{request.host}").hostname not in hosts:
            abort(400, f"this server does not answer to the host {request.host!r}. Expected {', '.join(hosts)}.")

    @app.before_request
    def refuse_other_origins() -> None:
        if request.method not in ("GET", "HEAD", "OPTIONS") and not _same_origin():
            abort(403, "this request comes from another site. Expected one from the chat page or from a program.")

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if request.path.startswith(("/api/", "/v1/")):
            response.headers["Cache-Control"] = "no-store"
        return response


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
