"""The API that OpenAI's clients speak: ``/v1/chat/completions``, streaming too, and ``/v1/models``."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

from flask import Blueprint, Response, jsonify, stream_with_context

from serve.answering import answers
from serve.answering.service import service
from serve.engine import Delta, Done, Event, Queued
from serve.http import errors, sse
from serve.http.api import json_body, usage
from serve.http.openai_schema import Completion

blueprint = Blueprint("openai", __name__, url_prefix="/v1")


@blueprint.post("/chat/completions")
def completions() -> Response:
    """Answer the last message of a conversation. Any model's name is taken; the answer says which one it was."""
    body = Completion.model_validate_json(json_body())
    events = answers.begin(body.turns(), body.settings())
    head = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "created": int(time.time()),
        "model": service().engine.model,
    }
    if body.stream:
        told = body.stream_options is not None and body.stream_options.include_usage
        return sse.response(stream_with_context(_chunks(events, {**head, "object": "chat.completion.chunk"}, told)))
    text, done = answers.whole(events)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text, "refusal": None},
        "logprobs": None,
        "finish_reason": _reason(done),
    }
    return jsonify({**head, "object": "chat.completion", "choices": [choice], "usage": usage(done)})


@blueprint.get("/models")
def models() -> Response:
    """List the one model there is."""
    return jsonify(object="list", data=[_model()])


@blueprint.get("/models/<path:name>")
def model(name: str) -> Response:
    """Say what is known of a model."""
    if name != service().engine.model:
        return errors.problem("model_not_found", f"no model is called {name!r} here. See /v1/models.", 404, "model")
    return jsonify(_model())


def _model() -> dict[str, Any]:
    serving = service()
    return {"id": serving.engine.model, "object": "model", "created": serving.since, "owned_by": serving.persona.name}


def _reason(done: Done) -> str:
    return "length" if done.finish_reason == "length" else "stop"


def _chunks(events: Generator[Event], head: dict[str, Any], told: bool) -> Iterator[bytes]:
    def chunk(delta: dict[str, str], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        # With include_usage every chunk has the key, as the API's reference says.
        return _data({**head, "choices": [choice]} | ({"usage": None} if told else {}))

    with closing(events):
        try:
            yield chunk({"role": "assistant", "content": ""})
            for event in events:
                if isinstance(event, Queued):
                    yield f": place {event.place} in the line\n\n".encode()  # a remark, which clients pass over
                elif isinstance(event, Delta):
                    yield chunk({"content": event.text})
                else:
                    yield chunk({}, _reason(event))
                    if told:
                        yield _data({**head, "choices": [], "usage": usage(event)})
            yield b"data: [DONE]\n\n"
        except Exception as error:
            yield _data({"error": errors.shape(*errors.known(error))})


def _data(value: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()
