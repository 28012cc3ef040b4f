"""What clients of llama.cpp's server ask it about: ``/health``, ``/props``, ``/slots`` and ``/tokenize``.

Shapes: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md. Only what is true here is told. There
is no chat template among it, since the server renders the prompt itself.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field, RootModel

from serve.engine import Settings
from serve.http import errors
from serve.http.current import json_body, service
from serve.http.openai_responses import model_id
from serve.http.openapi import described
from serve.http.responses import Health, json_response
from serve.schema import InvalidRequest, validated

blueprint = Blueprint("llamacpp", __name__)

_MOST_CHARS = 100_000


class Generation(BaseModel):
    """What applies to a request that names nothing."""

    n_ctx: int | None
    params: dict[str, Any]


class Modalities(BaseModel):
    """What the model takes beside text: nothing."""

    vision: bool = False
    audio: bool = False


class Props(BaseModel):
    """The server's properties."""

    default_generation_settings: Generation
    total_slots: int
    model_alias: str
    model_path: str = Field(description="The base model and the run, not a path.")
    modalities: Modalities = Modalities()
    build_info: str


class Slot(BaseModel):
    """A place for an answer. The first ones count as taken: which of them an answer has is not known here."""

    id: int
    n_ctx: int | None
    is_processing: bool


class Slots(RootModel[list[Slot]]):
    """All places."""


class TokenizeRequest(BaseModel):
    """A text to tokenize, as what is said in a conversation: a control token in it is text."""

    model_config = ConfigDict(strict=True)

    content: str = Field(max_length=_MOST_CHARS)
    add_special: bool | None = None
    with_pieces: bool | None = None


class Tokens(BaseModel):
    """The ids of a text's tokens."""

    tokens: list[int]


@blueprint.get("/health")
@described(Health, errors=[503])
def health() -> Response:
    """Answer once the engine has loaded."""
    return json_response(Health())


@blueprint.get("/props")
@described(Props)
def props() -> Response:
    """Describe the server: its window, its places, its sampling settings."""
    serving = service()
    engine = serving.engine
    return json_response(
        Props(
            build_info="inosuke",
            default_generation_settings=Generation(n_ctx=engine.context, params=_params(serving.settings)),
            total_slots=engine.slots,
            model_alias=model_id(serving.persona),
            model_path=engine.model,
        )
    )


@blueprint.get("/slots")
@described(Slots)
def slots() -> Response:
    """List the places and how many are taken."""
    serving = service()
    running, _ = serving.waiting_line.load
    window = serving.engine.context
    places = [Slot(id=n, n_ctx=window, is_processing=n < running) for n in range(serving.engine.slots)]
    return json_response(Slots(places))


@blueprint.post("/tokenize")
@described(Tokens, body=TokenizeRequest, errors=[404])
def tokenize() -> Response:
    """Return the ids of a text's tokens."""
    body = validated(TokenizeRequest, json_body())
    for key in ("add_special", "with_pieces"):
        if getattr(body, key):
            raise InvalidRequest("unsupported_parameter", f"`{key}` is not supported. Leave it out.", key)
    engine = service().engine
    if (tokens := engine.tokens(body.content)) is None:
        return errors.problem("not_found", f"the engine `{engine.name}` does not know its model's tokens.", 404)
    return json_response(Tokens(tokens=tokens))


def _params(settings: Settings) -> dict[str, Any]:
    """Return the settings under llama.cpp's names."""
    return {
        "temperature": settings.temperature,
        "top_k": settings.top_k,
        "top_p": settings.top_p,
        "min_p": settings.min_p,
        "typ_p": settings.typical_p,
        "repeat_penalty": settings.repetition_penalty,
        "presence_penalty": settings.presence_penalty,
        "frequency_penalty": settings.frequency_penalty,
        "dry_multiplier": settings.dry_multiplier,
        "n_predict": settings.max_new_tokens,
    }
