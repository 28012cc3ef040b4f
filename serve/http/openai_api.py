"""The API that OpenAI's clients speak: ``/v1/chat/completions``, ``/v1/completions``, streaming too, ``/v1/models``."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response

from serve.answering.service import Service
from serve.engine import OPTIONAL, Settings
from serve.http import errors, sse
from serve.http import openai_responses as shapes
from serve.http.current import json_body, service
from serve.http.openai_answers import Asked, ChatShape, TextShape, respond
from serve.http.openai_parts.messages import Conversation, OpenAIMessage, conversation, transcript
from serve.http.openai_schema import Completion, TextCompletionRequest
from serve.http.openapi import described
from serve.http.responses import json_response
from serve.schema import InvalidRequest, validated

blueprint = Blueprint("openai", __name__, url_prefix="/v1")


@blueprint.post("/chat/completions")
@described(shapes.ChatCompletion, sse.TYPE, body=Completion, errors=errors.OF_ANSWERS)
def chat_completions() -> Response:
    """Answer the last message, or continue it, for OpenAI's clients. Any model name is accepted."""
    serving = service()
    body = validated(Completion, json_body())
    settings = body.chat_settings(serving.engine).over(serving.settings)
    talk = _conversation(serving, body.messages)
    body.check_end(serving.engine, talk.continues)
    asked = [Asked(turns=talk.turns, settings=each) for each in _variants(settings, body.n or 1)]
    return respond(serving, body, asked, ChatShape(), (*talk.left_out, *body.unknown()))


@blueprint.post("/completions")
@described(shapes.TextCompletion, sse.TYPE, body=TextCompletionRequest, errors=errors.OF_ANSWERS)
def completions() -> Response:
    """Answer a text, for clients of the older API. The character answers it: nothing is completed without them."""
    serving = service()
    body = validated(TextCompletionRequest, json_body())
    settings = body.settings(serving.engine, body.logprobs).over(serving.settings)
    asked, left_out = [], []
    for prompt in body.prompts():
        talk = _of_prompt(serving, prompt, body.stops)
        left_out += ["prompt"] if talk.left_out else []
        echo = prompt if body.echo else ""
        asked += [Asked(turns=talk.turns, settings=each, echo=echo) for each in _variants(settings, body.n or 1)]
    return respond(serving, body, asked, TextShape(), (*left_out, *body.unknown()))


@blueprint.get("/models")
@described(shapes.Models)
def models() -> Response:
    """List the one model."""
    return json_response(shapes.Models(data=[describe(service())]))


@blueprint.get("/models/<path:name>")
@described(shapes.Model, errors=[404])
def model(name: str) -> Response:
    """Describe the model."""
    described_model = describe(service())
    if name not in (described_model.id, described_model.root):
        return errors.problem("model_not_found", f"{name!r} is not a model here. See /v1/models.", 404, "model")
    return json_response(described_model)


def describe(serving: Service) -> shapes.Model:
    """Return the entry of the model in the list."""
    return shapes.Model(
        id=shapes.model_id(serving.persona),
        created=serving.since,
        owned_by=serving.persona.name,
        name=serving.persona.name,
        root=serving.engine.model,
        max_model_len=serving.engine.context,
        system_messages=serving.config.system,
        unsupported_parameters=sorted(OPTIONAL.keys() - serving.engine.honours),
    )


def _conversation(serving: Service, messages: Sequence[OpenAIMessage]) -> Conversation:
    prompt = serving.run.prompt if serving.run else "chat"
    return conversation(messages, serving.config.system, serving.persona, prompt)


def _of_prompt(serving: Service, prompt: str, stops: Sequence[str]) -> Conversation:
    messages = transcript(prompt, stops, serving.persona)
    talk = _conversation(serving, messages or [OpenAIMessage(role="user", content=prompt)])
    if talk.continues and "continue_final_message" not in serving.engine.honours:
        raise InvalidRequest(
            "unsupported_parameter",
            f"the prompt ends within the character's words, which the engine `{serving.engine.name}` cannot continue "
            "with this model server. End it with their label.",
            "prompt",
        )
    return talk


def _variants(settings: Settings, count: int) -> list[Settings]:
    """Return the settings of each answer: with a seed, each has its own, so that the answers differ."""
    if settings.seed is None:
        return [settings] * count
    return [settings.model_copy(update={"seed": (settings.seed + number) % 2**63}) for number in range(count)]
