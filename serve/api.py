"""The HTTP API: ``POST /api/chat`` as JSON or as server-sent events, ``/api/info``, ``/healthz``, ``/readyz``.

The whole conversation comes with each request; nothing of it is kept or logged.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import chain
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from serve import schema, sse
from serve.engines.base import Cancelled, ConversationTooLong, Delta, Done, EngineFailed, Event, Settings
from serve.line import LineFull
from serve.service import service

log = logging.getLogger("serve")
blueprint = Blueprint("api", __name__)

_CRASHED = "the answer broke off inside the server. Try again; its log has the reason."


@blueprint.post("/api/chat")
def chat() -> Response | tuple[Response, int]:
    """Answer the last message of a conversation."""
    if not request.is_json:
        return _error("unsupported_media_type", "expected `Content-Type: application/json`.", 415)
    body = schema.ChatRequest.model_validate_json(request.get_data())
    start, serving = time.perf_counter(), service()
    turns, gone = body.turns(), _disconnected()
    events = serving.line.run(lambda: serving.engine.stream(turns, body.settings, gone), gone)
    # The first event is waited for here: what is wrong from the start (a full line, a conversation that does not
    # fit) becomes a status instead of an event.
    answer = _logged(next(events), events, start)
    if body.stream or request.accept_mimetypes.best_match(["application/json", sse.TYPE]) == sse.TYPE:
        return Response(_event_stream(answer), mimetype=sse.TYPE, headers={"X-Accel-Buffering": "no"})
    done, text = None, []
    for event in answer:
        if isinstance(event, Delta):
            text.append(event.text)
        elif isinstance(event, Done):
            done = event
    assert done is not None, "an engine ends with Done"
    return jsonify({"reply": "".join(text), **_ending(done)})


@blueprint.get("/api/info")
def info() -> Response:
    """Say who answers, with what, and within which limits."""
    serving = service()
    run = serving.run
    return jsonify(
        character=serving.persona.name,
        languages=serving.persona.languages,
        engine=serving.engine.name,
        model=serving.engine.model,
        context=serving.engine.context,
        run=run and run.name,
        base=run and run.base_name,
        dataset=run and run.dataset,
        limits={"messages": schema.MAX_MESSAGES, "chars": schema.MAX_CHARS},
        settings=Settings().model_dump(),
    )


@blueprint.get("/healthz")
def healthz() -> Response:
    """Answer as soon as the process does."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> Response:
    """Answer once the engine is loaded: the application is only built with one that has answered."""
    running, waiting = service().line.load
    return jsonify(status="ready", running=running, waiting=waiting)


def register_errors(app: Flask) -> None:
    """Make every error a JSON object ``{"error": {"code", "message"}}`` with its status."""

    @app.errorhandler(ValidationError)
    def invalid(error: ValidationError) -> tuple[Response, int]:
        return _error(*schema.first_problem(error), 400)

    @app.errorhandler(ConversationTooLong)
    def too_long(error: ConversationTooLong) -> tuple[Response, int]:
        return _error("conversation_too_long", str(error), 400)

    @app.errorhandler(LineFull)
    def full(error: LineFull) -> tuple[Response, int]:
        response, status = _error("busy", str(error), 503)
        response.headers["Retry-After"] = str(error.retry_after)
        return response, status

    @app.errorhandler(EngineFailed)
    def failed(error: EngineFailed) -> tuple[Response, int]:
        log.warning("%s", error)
        return _error("engine_failed", str(error), 502)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> tuple[Response, int]:
        status = error.code or 500
        response, _ = _error(error.name.lower().replace(" ", "_"), error.description or error.name, status)
        for key, value in error.get_headers():
            if key == "Allow":
                response.headers[key] = value
        return response, status

    @app.errorhandler(Exception)
    def crashed(error: Exception) -> tuple[Response, int]:
        log.error("answer failed", exc_info=error)
        return _error("internal_error", _CRASHED, 500)


def _error(code: str, message: str, status: int) -> tuple[Response, int]:
    return jsonify(error={"code": code, "message": message}), status


def _disconnected() -> Cancelled:
    """Return the server's way to tell that the client has closed the connection (waitress has one)."""
    asked: Cancelled | None = request.environ.get("waitress.client_disconnected")
    return asked or (lambda: False)


def _ending(done: Done) -> dict[str, Any]:
    run = service().run
    total = done.prompt_tokens + done.completion_tokens
    return {
        "finish_reason": done.finish_reason,
        "usage": {
            "prompt_tokens": done.prompt_tokens,
            "completion_tokens": done.completion_tokens,
            "total_tokens": total,
        },
        "dropped_messages": done.dropped,
        "run": run.name if run else None,
    }


def _event_stream(events: Generator[Event]) -> Iterator[bytes]:
    """Turn events into bytes. An error after the first event can no longer be a status, so it is an event, too."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def generate() -> Iterator[bytes]:
        with app.app_context(), closing(events):
            try:
                for event in events:
                    if isinstance(event, Delta):
                        yield sse.encode("delta", {"text": event.text})
                    elif isinstance(event, Done):
                        yield sse.encode("done", _ending(event))
                    else:
                        yield sse.encode("queued", {"place": event.place})
            except ConversationTooLong as error:
                yield sse.encode("error", {"code": "conversation_too_long", "message": str(error)})
            except EngineFailed as error:
                log.warning("%s", error)
                yield sse.encode("error", {"code": "engine_failed", "message": str(error)})
            except Exception:
                log.exception("answer failed")
                yield sse.encode("error", {"code": "internal_error", "message": _CRASHED})

    return generate()


def _logged(first: Event, rest: Generator[Event], start: float) -> Generator[Event]:
    """Pass events on, and log one line an answer: how much and how fast, never what."""
    with closing(rest):
        for event in chain((first,), rest):
            if isinstance(event, Done):
                tokens = f"{event.prompt_tokens} + {event.completion_tokens} tokens"
                log.info("answer: %s, %s after %.1f s", tokens, event.finish_reason, time.perf_counter() - start)
            yield event
