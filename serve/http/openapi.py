"""``/openapi.json``: the API described from the very models that check its requests. A test fuzzes the API with it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic.json_schema import models_json_schema

from serve.answering.service import service
from serve.feedback.inbox import FeedbackIn
from serve.http.openai_schema import Completion
from serve.schema import ChatRequest

blueprint = Blueprint("openapi", __name__)

_REF = "#/components/schemas/"
_COUNT = {"type": "integer", "minimum": 0}
_USAGE = {
    "type": "object",
    "required": ["prompt_tokens", "completion_tokens", "total_tokens"],
    "properties": dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), _COUNT),
}
_ANSWERS: dict[str, Any] = {
    "Error": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
            }
        },
    },
    "Reply": {
        "type": "object",
        "required": ["reply", "finish_reason", "usage", "dropped_messages", "run"],
        "properties": {
            "reply": {"type": "string"},
            "finish_reason": {"enum": ["stop", "length", "cancelled"]},
            "usage": _USAGE,
            "dropped_messages": _COUNT | {"description": "The oldest messages that did not fit into the window."},
            "run": {"type": ["string", "null"]},
        },
    },
    "ChatCompletion": {
        "type": "object",
        "required": ["id", "object", "created", "model", "choices", "usage"],
        "properties": {
            "object": {"const": "chat.completion"},
            "choices": {"type": "array", "minItems": 1, "maxItems": 1},
            "usage": _USAGE,
        },
    },
    "Models": {"type": "object", "required": ["object", "data"], "properties": {"data": {"type": "array"}}},
    "Info": {
        "type": "object",
        "required": ["character", "engine", "model", "limits", "settings", "feedback"],
        "properties": {"character": {"type": "string"}, "feedback": {"type": "boolean"}},
    },
    "Health": {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}},
}


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Describe the API."""
    return jsonify(document(service().persona.name))


def document(character: str) -> dict[str, Any]:
    """Return the description as OpenAPI 3.1."""
    _, schemas = models_json_schema(
        [(model, "validation") for model in (ChatRequest, Completion, FeedbackIn)], ref_template=_REF + "{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Chat with {character}",
            "version": "1",
            "description": "The whole conversation comes with each request; the server keeps none of it.",
        },
        "paths": {
            "/api/chat": {
                "post": _operation(
                    "Answer the last message; a stream with `stream`, or `Accept: text/event-stream`.",
                    ("application/json", "Reply"),
                    body="ChatRequest",
                    stream=True,
                    errors=(400, 401, 403, 413, 415, 429, 502, 503),
                )
            },
            "/v1/chat/completions": {
                "post": _operation(
                    "The same for OpenAI's clients. The character's own system prompt takes the place of a client's.",
                    ("application/json", "ChatCompletion"),
                    body="Completion",
                    stream=True,
                    errors=(400, 401, 403, 413, 415, 429, 502, 503),
                )
            },
            "/v1/models": {"get": _operation("The one model there is.", ("application/json", "Models"), errors=(401,))},
            "/api/feedback": {
                "post": _operation(
                    "Keep a visitor's word on one reply, with consent only.",
                    None,
                    body="FeedbackIn",
                    errors=(400, 401, 403, 404, 413, 415, 429),
                )
            },
            "/api/info": {"get": _operation("Who answers, with what.", ("application/json", "Info"), errors=(401,))},
            "/healthz": {"get": _operation("The process answers.", ("application/json", "Health"))},
            "/readyz": {"get": _operation("The model answers.", ("application/json", "Health"), errors=(503,))},
            "/metrics": {"get": _operation("For Prometheus.", ("text/plain", None), errors=(401,))},
        },
        "components": {
            "schemas": {**schemas["$defs"], **_ANSWERS},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _operation(
    summary: str,
    answer: tuple[str, str | None] | None,
    body: str | None = None,
    stream: bool = False,
    errors: tuple[int, ...] = (),
) -> dict[str, Any]:
    error = {"description": "Why not.", "content": {"application/json": {"schema": {"$ref": _REF + "Error"}}}}
    responses: dict[str, Any] = {str(status): error for status in errors}
    if answer is None:
        responses["204"] = {"description": "Kept."}
    else:
        kind, schema = answer
        content: dict[str, Any] = {kind: {"schema": {"$ref": _REF + schema} if schema else {"type": "string"}}}
        if stream:
            content["text/event-stream"] = {"schema": {"type": "string"}}
        responses["200"] = {"description": "Done.", "content": content}
    operation: dict[str, Any] = {"summary": summary, "responses": responses}
    if body:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REF + body}}},
        }
    return operation
