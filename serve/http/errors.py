"""Every error as JSON with its status: ``{"error": {"code", "message"}}``, and under ``/v1/`` in OpenAI's shape."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, jsonify, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from serve import schema
from serve.answering.waiting_line import LineFull
from serve.engine import ConversationTooLong, EngineFailed
from serve.guard.keys_and_rates import NoKey, TooOften

log = logging.getLogger("serve")

CRASHED = "the answer broke off inside the server. Try again; its log has the reason."
# OpenAI's words for what went wrong (https://platform.openai.com/docs/guides/error-codes).
_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


def problem(code: str, message: str, status: int, param: str | None = None) -> Response:
    """Return an error response in the shape that the requested path speaks."""
    response = jsonify(error=shape(code, message, status, param))
    response.status_code = status
    return response


def shape(code: str, message: str, status: int, param: str | None = None) -> dict[str, Any]:
    """Return what stands under ``error``."""
    if not request.path.startswith("/v1/"):
        return {"code": code, "message": message}
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"message": message, "type": kind, "param": param, "code": code}


def known(error: Exception) -> tuple[str, str, int]:
    """Return code, message and status of an error; what nobody foresaw is logged, and its words stay here."""
    if isinstance(error, ConversationTooLong):
        return (
            "context_length_exceeded" if request.path.startswith("/v1/") else "conversation_too_long",
            str(error),
            400,
        )
    if isinstance(error, LineFull):
        return "busy", str(error), 503
    if isinstance(error, EngineFailed):
        log.warning("%s", error)
        return "engine_failed", str(error), 502
    log.error("answer failed", exc_info=error)
    return "internal_error", CRASHED, 500


def register(app: Flask) -> None:
    """Add the handlers to an application."""

    @app.errorhandler(ValidationError)
    def invalid(error: ValidationError) -> Response:
        where = schema.place(error.errors()[0]) or None
        return problem(*schema.first_problem(error), 400, where)

    @app.errorhandler(NoKey)
    def no_key(error: NoKey) -> Response:
        response = problem("invalid_api_key", str(error), 401)
        # Basic makes a browser ask for it, so that the page works, too.
        response.headers["WWW-Authenticate"] = 'Basic realm="the key of this server, as the password", charset="UTF-8"'
        return response

    @app.errorhandler(TooOften)
    @app.errorhandler(LineFull)
    def later(error: TooOften | LineFull) -> Response:
        often = isinstance(error, TooOften)
        response = problem("too_many_requests" if often else "busy", str(error), 429 if often else 503)
        response.headers["Retry-After"] = str(error.retry_after)
        return response

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        response = problem(error.name.lower().replace(" ", "_"), error.description or error.name, error.code or 500)
        for key, value in error.get_headers():
            if key == "Allow":
                response.headers[key] = value
        return response

    @app.errorhandler(Exception)
    def other(error: Exception) -> Response:
        return problem(*known(error))
