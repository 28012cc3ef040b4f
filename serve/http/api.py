"""The HTTP API: ``POST /api/chat`` as JSON or as server-sent events, ``/api/info``, and what machines ask.

The whole conversation comes with each request; nothing of it is kept or logged.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

from flask import Blueprint, Response, jsonify, request, stream_with_context

from serve import schema
from serve.answering import answers
from serve.answering.service import service
from serve.engine import Delta, Done, Event, Settings
from serve.http import errors, sse

blueprint = Blueprint("api", __name__)


@blueprint.post("/api/chat")
def chat() -> Response:
    """Answer the last message of a conversation."""
    body = schema.ChatRequest.model_validate_json(json_body())
    events = answers.begin(body.turns(), body.settings)
    if body.stream or request.accept_mimetypes.best_match(["application/json", sse.TYPE]) == sse.TYPE:
        return sse.response(stream_with_context(_event_stream(events)))
    text, done = answers.whole(events)
    return jsonify({"reply": text, **_ending(done)})


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
        feedback=serving.feedback is not None,
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


@blueprint.get("/metrics")
def metrics() -> Response:
    """Answer a Prometheus server."""
    return service().metrics.page()


def json_body() -> bytes:
    """Return the body of a request that says it is JSON. Aborts with 415 for another type."""
    if not request.is_json:
        from werkzeug.exceptions import UnsupportedMediaType

        raise UnsupportedMediaType("expected `Content-Type: application/json`.")
    return request.get_data()


def _ending(done: Done) -> dict[str, Any]:
    run = service().run
    return {
        "finish_reason": done.finish_reason,
        "usage": usage(done),
        "dropped_messages": done.dropped,
        "run": run.name if run else None,
    }


def usage(done: Done) -> dict[str, int]:
    """Return the token counts under the names that clients know."""
    return {
        "prompt_tokens": done.prompt_tokens,
        "completion_tokens": done.completion_tokens,
        "total_tokens": done.prompt_tokens + done.completion_tokens,
    }


def _event_stream(events: Generator[Event]) -> Iterator[bytes]:
    """Turn events into bytes. An error after the first event can no longer be a status, so it is an event, too."""
    with closing(events):
        try:
            for event in events:
                if isinstance(event, Delta):
                    yield sse.encode("delta", {"text": event.text})
                elif isinstance(event, Done):
                    yield sse.encode("done", _ending(event))
                else:
                    yield sse.encode("queued", {"place": event.place})
        except Exception as error:
            yield sse.encode("error", errors.shape(*errors.known(error)))
