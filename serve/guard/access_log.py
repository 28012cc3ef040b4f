"""Logs each request: client, method, path, status and time. No text, key or query gets into it."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from serve.guard.keys_and_rates import client

log = logging.getLogger("serve.access")


def add(app: Flask) -> None:
    """Log the requests of an application, refused ones included. A stream is logged when it begins."""

    @app.before_request
    def begin() -> None:
        g.begun = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        milliseconds = (time.perf_counter() - g.get("begun", time.perf_counter())) * 1000
        # A path may hold line ends and other control characters, with which a client could write lines of its own.
        path = f"{request.script_root}{request.path}".encode("unicode_escape").decode()[:200]
        log.info("%s %s %s %d %.0f ms", client(), request.method, path, response.status_code, milliseconds)
        return response
