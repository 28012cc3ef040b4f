"""Answers requests while the real application loads: healthy, not ready, and "try again in a moment" for the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="2">
<title>…</title>
<style>
  html { color-scheme: light dark; font: 1.1rem/1.6 system-ui, sans-serif }
  body { min-height: 90vh; display: grid; place-content: center; text-align: center; padding: 1rem }
  p { margin: 0 }
</style>
<p role="status" lang="vi">Đang thức dậy… Trang này tự tải lại.</p>
<p lang="en">Waking up… This page reloads by itself.</p>
""".encode()
_LOADING = {"error": {"code": "loading", "message": "the model is loading. Try again in a moment."}}


class LoadingApp:
    """A WSGI application that hands requests to another one as soon as that one is ready.

    Until then ``/``, and any path that ends so, is a page that reloads itself. ``frame_ancestors`` may show it in a
    frame, as in CSP.
    """

    def __init__(self, frame_ancestors: str = "'none'") -> None:
        self._application: Wsgi | None = None
        self._policy = f"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors {frame_ancestors}"

    def ready(self, application: Wsgi) -> None:
        """Hand all requests to an application from now on."""
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        if self._application is not None:
            return self._application(environ, start_response)
        healthy = environ.get("PATH_INFO") == "/healthz"
        body, kind = json.dumps({"status": "ok"} if healthy else _LOADING).encode(), "application/json"
        if environ.get("PATH_INFO", "").endswith("/") and environ.get("REQUEST_METHOD") == "GET":
            body, kind = _PAGE, "text/html; charset=utf-8"
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
        headers += [("Content-Security-Policy", self._policy), ("X-Content-Type-Options", "nosniff")]
        start_response("200 OK" if healthy else "503 Service Unavailable", [*headers, ("Retry-After", "5")])
        return [body]
