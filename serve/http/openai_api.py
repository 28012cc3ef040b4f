"""The API that OpenAI's clients speak: ``/v1/chat/completions``, streaming too, and ``/v1/models``."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any, Literal

from flask import Blueprint, Response, stream_with_context

from serve.answering import answers
from serve.answering.service import Service
from serve.engine import Alive, Delta, Done, Event, Queued, Reading
from serve.http import errors, sse
from serve.http.current import client_gone, json_body, service
from serve.http.openai_schema import Completion
from serve.http.openapi import described
from serve.http.responses import AssistantMessage, ChatCompletion, Choice, Model, Models, json_response, plain, usage
from serve.schema import validated

blueprint = Blueprint("openai", __name__, url_prefix="/v1")


@blueprint.post("/chat/completions")
@described(ChatCompletion, sse.TYPE, body=Completion, errors=errors.OF_ANSWERS)
def completions() -> Response:
    """Answer the last message, for OpenAI's clients. Any model name is accepted; the answer has the real one.

    The character's system prompt takes the place of a client's.
    """
    serving = service()
    body = validated(Completion, json_body())
    events = answers.begin(
        serving, body.turns(), body.settings().over(serving.settings), client_gone(), bool(body.stream)
    )
    name, created, model = f"chatcmpl-{uuid.uuid4().hex}", int(time.time()), serving.engine.model
    if body.stream:
        head = {"id": name, "created": created, "model": model, "object": "chat.completion.chunk"}
        with_usage = body.stream_options is not None and body.stream_options.include_usage
        return sse.response(stream_with_context(_chunks(events, head, with_usage)))
    text, done = answers.whole(events)
    choice = Choice(message=AssistantMessage(content=text), finish_reason=_reason(done))
    return json_response(ChatCompletion(id=name, created=created, model=model, choices=(choice,), usage=usage(done)))


@blueprint.get("/models")
@described(Models)
def models() -> Response:
    """List the one model."""
    return json_response(Models(data=(_model(service()),)))


@blueprint.get("/models/<path:name>")
@described(Model, errors=[404])
def model(name: str) -> Response:
    """Describe the model."""
    serving = service()
    if name != serving.engine.model:
        return errors.problem("model_not_found", f"{name!r} is not a model here. See /v1/models.", 404, "model")
    return json_response(_model(serving))


def _model(serving: Service) -> Model:
    return Model(id=serving.engine.model, created=serving.since, owned_by=serving.persona.name)


def _reason(done: Done) -> Literal["stop", "length"]:
    return "length" if done.finish_reason == "length" else "stop"


def _chunks(events: Generator[Event], head: dict[str, Any], with_usage: bool) -> Iterator[bytes]:
    def chunk(delta: dict[str, str], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        # With include_usage every chunk has the key, as the API's reference says.
        return _data({**head, "choices": [choice]} | ({"usage": None} if with_usage else {}))

    with closing(events):
        try:
            yield chunk({"role": "assistant", "content": ""})
            for event in events:
                if isinstance(event, Queued):
                    yield f": place {event.place} in the line\n\n".encode()  # a comment, which clients skip
                elif isinstance(event, Alive | Reading):
                    yield sse.PING
                elif isinstance(event, Delta):
                    yield chunk({"content": event.text})
                else:
                    yield chunk({}, _reason(event))
                    if with_usage:
                        yield _data({**head, "choices": [], "usage": plain(usage(event))})
            yield b"data: [DONE]\n\n"
        except Exception as error:
            yield _data({"error": errors.shape(*errors.known(error))})


def _data(value: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()
