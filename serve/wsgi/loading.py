"""Stands in front of an application that still loads: healthy, not ready, and "come back in a moment" to others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

_LATER = {"error": {"code": "loading", "message": "the model is being loaded. Try again in a moment."}}


class Door:
    """A WSGI application that becomes another once that one is there."""

    def __init__(self) -> None:
        self._behind: Wsgi | None = None

    def let_in(self, application: Wsgi) -> None:
        """Let requests through to an application from now on."""
        self._behind = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        if self._behind is not None:
            return self._behind(environ, start_response)
        healthy = environ.get("PATH_INFO") == "/healthz"
        body = json.dumps({"status": "ok"} if healthy else _LATER).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK" if healthy else "503 Service Unavailable", [*headers, ("Retry-After", "5")])
        return [body]
