"""What belongs to the current request: the application's service, its body, and whether its client has left."""

from __future__ import annotations

from flask import current_app, request
from werkzeug.exceptions import UnsupportedMediaType

from serve.answering.service import Service
from serve.engine import Cancelled


def service() -> Service:
    """Return the service of the application that answers the current request."""
    found: Service = current_app.extensions["inosuke"]
    return found


def client_gone() -> Cancelled:
    """Return a function that tells whether the client has closed the connection (waitress knows)."""
    disconnected: Cancelled | None = request.environ.get("waitress.client_disconnected")
    return disconnected or (lambda: False)


def json_body() -> bytes:
    """Return the body of a request that is declared as JSON. Aborts with 415 for another type."""
    if not request.is_json:
        raise UnsupportedMediaType("expected `Content-Type: application/json`.")
    return request.get_data()
