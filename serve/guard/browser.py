"""What the browser is told and what is refused before any route runs.

The server listens on this machine without a password, so another site that is open in the same browser must neither
read from it nor make it work.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, abort, request


def protect(app: Flask) -> None:
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
            f"frame-ancestors {app.config['FRAME_ANCESTORS']}",
        ]
    )

    hosts = app.config["HOSTS"]

    @app.before_request
    def refuse_other_names() -> None:
        # Not Flask's TRUSTED_HOSTS: werkzeug 3.1 cuts a trusted name at its first colon, and so never trusts [::1].
        if hosts is not None and urlsplit(f"//{request.host}").hostname not in hosts:
            abort(400, f"the host {request.host!r} is not a name of this server. Expected {', '.join(hosts)}.")

    @app.before_request
    def refuse_other_origins() -> None:
        if request.method not in ("GET", "HEAD", "OPTIONS") and not _same_origin():
            abort(403, "this request comes from another site. Expected one from the chat page or from a program.")

    @app.after_request
    def count(response: Response) -> Response:
        # Not what is not there: whoever looks for holes asks for a thousand such pages.
        if response.status_code in (400, 401, 403, 413, 429) or response.status_code >= 500:
            app.extensions["inosuke"].metrics.refused(response.status_code)
        return response

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if request.path.startswith(("/api/", "/v1/")):
            response.headers["Cache-Control"] = "no-store"
        return response


def _same_origin() -> bool:
    """Say whether a request comes from this site or from no site at all.

    Go's ``http.CrossOriginProtection`` (https://go.dev/src/net/http/csrf.go): browsers say it in Sec-Fetch-Site;
    older ones only send the Origin; programs send neither. Hosts are compared without the scheme, which a proxy in
    front changes.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc == request.host
    except ValueError:  # no address at all, such as `http://[`
        return False
