"""Our own API: ``POST /api/chat`` as JSON or as server-sent events, memory and counting, ``GET /api/info``.

Each request carries the whole conversation; nothing of it is kept or logged.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict

from flask import Blueprint, Response, request, stream_with_context
from pydantic import BaseModel

from curation import chat as chat_shape
from curation.record import Message
from serve.answering import answers, facts
from serve.answering import memory as remembering
from serve.answering.service import Service
from serve.engine import Alive, CountsTokens, Delta, Done, Event, Reading, Settings
from serve.http import errors, sse
from serve.http.current import client_gone, json_body, service
from serve.http.openai_parts.parameters import check_honoured
from serve.http.openapi import described
from serve.http.responses import LIMITS, Count, Ending, FactTold, Info, Remembering, Reply, json_response, plain, usage
from serve.schema import (
    ChatRequest,
    CountRequest,
    InvalidRequest,
    MemoryRequest,
    Remembered,
    validated,
)

blueprint = Blueprint("api", __name__)


@blueprint.post("/api/chat")
@described(Reply, sse.TYPE, body=ChatRequest, errors=errors.OF_ANSWERS)
def chat() -> Response:
    """Answer the last message; a stream with `stream`, or with `Accept: text/event-stream`."""
    serving = service()
    body = validated(ChatRequest, json_body())
    settings = settings_over(serving, body.settings)
    if body.continues and "continue_final_message" not in serving.engine.honours:
        raise InvalidRequest(
            "unsupported_parameter", "this engine cannot continue a reply. Leave `continue` out.", "continue"
        )
    turns = _told(serving, body.turns(), body, settings)
    stream = body.stream or wants_stream()
    events = answers.begin(serving, turns, settings, client_gone(), stream)
    if stream:
        return sse.response(stream_with_context(event_stream(events, lambda done: ending(done, serving))))
    text, done = answers.whole(events)
    return json_response(Reply(reply=text, **dict(ending(done, serving))))


@blueprint.post("/api/memory")
@described(Remembering, body=MemoryRequest, errors=errors.OF_ANSWERS)
def remember() -> Response:
    """Sum up what fell out of the window, in the background: visitors who wait for an answer come first."""
    body = validated(MemoryRequest, json_body())
    memory = remembering.remember(service(), body.turns(), body.memory, client_gone())
    return json_response(Remembering(memory=body.memory if memory is None else memory))


@blueprint.post("/api/count")
@described(Count, body=CountRequest)
def count() -> Response:
    """Count a conversation and the message that is being typed. Nothing is generated."""
    serving = service()
    body = validated(CountRequest, json_body())
    if not isinstance(serving.engine, CountsTokens):
        return json_response(Count(tokens=None, window=None, kept_from=0, opening=0))
    turns = (
        chat_shape.with_memory(body.turns(), body.memory, body.pinned, serving.persona)
        if _remembers(serving)
        else body.turns()
    )
    counted = serving.engine.count(facts.told(serving, turns, serving.settings).messages, serving.settings)
    return json_response(Count(**asdict(counted)))


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
            window=engine.count((), serving.settings).window if isinstance(engine, CountsTokens) else None,
            remembers=_remembers(serving),
            run=run.name if run else None,
            base=run.base_name if run else None,
            dataset=run.dataset if run else None,
            limits=LIMITS,
            settings=serving.settings,
            feedback=serving.feedback is not None,
            honours=tuple(sorted(serving.engine.honours)),
        )
    )


def settings_over(serving: Service, given: Settings) -> Settings:
    """Return the settings of a request over the server's own. Raises InvalidRequest for what cannot be honoured."""
    check_honoured(serving.engine, given)
    if given.logprobs is not None:
        raise InvalidRequest("unsupported_parameter", "`settings.logprobs` is for /v1. Leave it out.", "logprobs")
    return given.over(serving.settings)


def wants_stream() -> bool:
    """Return whether a client asks for a stream by its `Accept` header."""
    return request.accept_mimetypes.best_match(["application/json", sse.TYPE]) == sse.TYPE


def _remembers(serving: Service) -> bool:
    """Return whether memory reaches the model: the alpaca layout has no system prompt to put it into."""
    return serving.run is None or serving.run.prompt == "chat"


def _told(serving: Service, turns: Sequence[Message], body: Remembered, settings: Settings) -> Sequence[Message]:
    """Return the turns with what the client asks to remember. Raises InvalidRequest and MemoryTooLong."""
    if not body.memory.strip() and not any(fact.strip() for fact in body.pinned):
        return turns
    if not _remembers(serving):
        raise InvalidRequest(
            "no_memory",
            "this run was trained without system prompts (`alpaca`), so it can be told no memory and no pinned facts. "
            "Leave `memory` and `pinned` out.",
            "memory" if body.memory else "pinned",
        )
    told = chat_shape.with_memory(turns, body.memory, body.pinned, serving.persona)
    if isinstance(serving.engine, CountsTokens):
        serving.engine.check_memory(turns, told, settings)
    return told


def ending(done: Done, serving: Service) -> Ending:
    """Return how an answer ended, for its client."""
    shown = done.facts if serving.persona.lorebook.show else ()
    return Ending(
        finish_reason=done.finish_reason,
        usage=usage(done),
        dropped_messages=done.dropped,
        run=serving.run.name if serving.run else None,
        facts=[FactTold(name=fact.name, text=fact.text) for fact in shown],
    )


def event_stream(events: Generator[Event], end: Callable[[Done], BaseModel]) -> Iterator[bytes]:
    """Encode events; ``end`` describes the last one.

    An error after the first event can no longer be a status, so it becomes an event too.
    """
    with closing(events):
        try:
            for event in events:
                if isinstance(event, Delta):
                    yield sse.encode("delta", {"text": event.text})
                elif isinstance(event, Done):
                    yield sse.encode("done", plain(end(event)))
                elif isinstance(event, Alive):
                    yield sse.PING
                elif isinstance(event, Reading):
                    yield sse.encode("reading", {"done": event.done, "total": event.total})
                else:
                    yield sse.encode("queued", {"place": event.place})
        except Exception as error:
            yield sse.encode("error", errors.shape(*errors.known(error)))
