"""Answers requests while the real application loads: healthy, not ready, and "try again in a moment" for the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

_LOADING = {"error": {"code": "loading", "message": "the model is loading. Try again in a moment."}}


class LoadingApp:
    """A WSGI application that hands requests to another one as soon as that one is ready."""

    def __init__(self) -> None:
        self._application: Wsgi | None = None

    def ready(self, application: Wsgi) -> None:
        """Hand all requests to an application from now on."""
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        if self._application is not None:
            return self._application(environ, start_response)
        healthy = environ.get("PATH_INFO") == "/healthz"
        body = json.dumps({"status": "ok"} if healthy else _LOADING).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK" if healthy else "503 Service Unavailable", [*headers, ("Retry-After", "5")])
        return [body]
