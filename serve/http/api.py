"""Our own API: ``POST /api/chat`` as JSON or as server-sent events, and ``GET /api/info``.

Each request carries the whole conversation; nothing of it is kept or logged.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

from flask import Blueprint, Response, request, stream_with_context

from serve.answering import answers
from serve.answering.service import Service
from serve.engine import Delta, Done, Event
from serve.http import errors, sse
from serve.http.current import client_gone, json_body, service
from serve.http.openapi import described
from serve.http.responses import Ending, Info, Limits, Reply, json_response, plain, usage
from serve.schema import MAX_CHARS, MAX_MESSAGES, ChatRequest, InvalidRequest, validated

blueprint = Blueprint("api", __name__)


@blueprint.post("/api/chat")
@described(Reply, sse.TYPE, body=ChatRequest, errors=errors.OF_ANSWERS)
def chat() -> Response:
    """Answer the last message; a stream with `stream`, or with `Accept: text/event-stream`."""
    serving = service()
    body = validated(ChatRequest, json_body())
    if body.continues and "continue_final_message" not in (_honoured(serving) or ()):
        raise InvalidRequest(
            "unsupported_parameter", "this engine cannot continue a reply. Leave `continue` out.", "continue"
        )
    run = serving.run.name if serving.run else None
    events = answers.begin(serving, body.turns(), body.settings.over(serving.settings), client_gone())
    if body.stream or request.accept_mimetypes.best_match(["application/json", sse.TYPE]) == sse.TYPE:
        return sse.response(stream_with_context(_event_stream(events, run)))
    text, done = answers.whole(events)
    return json_response(Reply(reply=text, **dict(_ending(done, run))))


@blueprint.get("/api/info")
@described(Info)
def info() -> Response:
    """Return who answers, with which model, and within which limits."""
    serving = service()
    engine, run = serving.engine, serving.run
    return json_response(
        Info(
            character=serving.persona.name,
            languages=serving.persona.languages,
            engine=engine.name,
            model=engine.model,
            context=engine.context,
            run=run.name if run else None,
            base=run.base_name if run else None,
            dataset=run.dataset if run else None,
            limits=Limits(messages=MAX_MESSAGES, chars=MAX_CHARS),
            settings=serving.settings,
            feedback=serving.feedback is not None,
            honours=_honoured(serving),
        )
    )


def _honoured(serving: Service) -> tuple[str, ...] | None:
    honours = getattr(serving.engine, "honours", None)
    return None if honours is None else tuple(sorted(honours))


def _ending(done: Done, run: str | None) -> Ending:
    return Ending(finish_reason=done.finish_reason, usage=usage(done), dropped_messages=done.dropped, run=run)


def _event_stream(events: Generator[Event], run: str | None) -> Iterator[bytes]:
    """Encode events. An error after the first event can no longer be a status, so it becomes an event too."""
    with closing(events):
        try:
            for event in events:
                if isinstance(event, Delta):
                    yield sse.encode("delta", {"text": event.text})
                elif isinstance(event, Done):
                    yield sse.encode("done", plain(_ending(event, run)))
                else:
                    yield sse.encode("queued", {"place": event.place})
        except Exception as error:
            yield sse.encode("error", errors.shape(*errors.known(error)))
