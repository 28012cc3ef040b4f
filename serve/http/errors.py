"""Every error as JSON with its status: ``{"error": {"code", "message"}}``, and under ``/v1/`` in OpenAI's shape."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from serve.answering.waiting_line import LineFull
from serve.engine import ConversationTooLong, EngineFailed, MemoryTooLong
from serve.guard.keys_and_rates import NoKey, TooOften
from serve.http.responses import Error, OpenAIError, OpenAIProblem, Problem, json_response, plain
from serve.schema import InvalidRequest

log = logging.getLogger("serve")

# The statuses of a failed answer, beside 400 for a conversation that does not fit.
OF_ANSWERS = (502, 503)
_UNEXPECTED = "the answer failed inside the server. Try again; the server's log has the reason."
# OpenAI's types of errors (https://platform.openai.com/docs/guides/error-codes).
_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


def problem(code: str, message: str, status: int, param: str | None = None) -> Response:
    """Return an error response in the shape that the requested path uses."""
    return json_response(_error(code, message, status, param), status)


def shape(code: str, message: str, status: int) -> dict[str, Any]:
    """Return the object under ``error``, for a stream."""
    return plain(_error(code, message, status, None).error)


def known(error: Exception) -> tuple[str, str, int]:
    """Return code, message and status of an error. An unexpected one is logged, and its message stays in the log."""
    if isinstance(error, ConversationTooLong):
        return "context_length_exceeded" if _is_openai() else "conversation_too_long", str(error), 400
    if isinstance(error, MemoryTooLong):
        return "memory_too_long", str(error), 400
    if isinstance(error, LineFull):
        return "busy", str(error), 503
    if isinstance(error, EngineFailed):
        log.warning("%s", error)
        return "engine_failed", str(error), 502
    log.error("answer failed", exc_info=error)
    return "internal_error", _UNEXPECTED, 500


def register(app: Flask) -> None:
    """Add the handlers to an application."""

    @app.errorhandler(InvalidRequest)
    def invalid(error: InvalidRequest) -> Response:
        return problem(error.code, str(error), 400, error.key)

    @app.errorhandler(NoKey)
    def no_key(error: NoKey) -> Response:
        response = problem("invalid_api_key", str(error), 401)
        # Basic makes a browser ask for the key, so that the page works too.
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


def _is_openai() -> bool:
    return request.path.startswith("/v1/")


def _error(code: str, message: str, status: int, param: str | None) -> Error | OpenAIError:
    if not _is_openai():
        return Error(error=Problem(code=code, message=message))
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return OpenAIError(error=OpenAIProblem(message=message, type=kind, param=param, code=code))
