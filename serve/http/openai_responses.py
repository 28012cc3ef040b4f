"""The JSON of OpenAI's API. :mod:`serve.http.openapi` describes it from these same types."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field

from curation.persona import Persona
from serve.config import SystemPolicy
from serve.engine import Done, Likely
from serve.http.responses import Usage

Reason = Literal["stop", "length"]


class TokenChance(BaseModel):
    """A token that could have stood at a place."""

    token: str
    logprob: float
    bytes: list[int] | None


class TokenLogprob(TokenChance):
    """A token of the reply."""

    top_logprobs: list[TokenChance]


class ChoiceLogprobs(BaseModel):
    """The tokens of a reply, where `logprobs` asks for them."""

    content: list[TokenLogprob]
    refusal: None = None


class AssistantMessage(BaseModel):
    """The reply."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    """One answer of a chat completion."""

    index: int
    message: AssistantMessage
    logprobs: ChoiceLogprobs | None = None
    finish_reason: Reason


class ChatCompletion(BaseModel):
    """Whole answers to a conversation."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage


class TextLogprobs(BaseModel):
    """The tokens of a text, in the older shape."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class TextChoice(BaseModel):
    """One answer of a text completion."""

    text: str
    index: int
    logprobs: TextLogprobs | None = None
    finish_reason: Reason


class TextCompletion(BaseModel):
    """Whole answers to prompts."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[TextChoice]
    usage: Usage


class Model(BaseModel):
    """The model that answers. `id` stays the same from one training to the next; `root` names the run."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    name: str = Field(description="The character.")
    root: str = Field(description="The base model and the run.")
    max_model_len: int | None = Field(description="Tokens for prompt and reply together.")
    system_messages: SystemPolicy = Field(
        description="`ours`: the character's system prompt alone; `after`: a client's after it; `theirs`: a client's "
        "in place of it."
    )
    unsupported_parameters: list[str] = Field(description="Parameters that this engine refuses.")


class Models(BaseModel):
    """The list of that one model."""

    object: Literal["list"] = "list"
    data: list[Model]


def model_id(persona: Persona) -> str:
    """Return the model's id for clients: the character's name in small Latin letters, such as `inosuke`."""
    plain = unicodedata.normalize("NFKD", persona.name.replace("đ", "d").replace("Đ", "D"))
    words = re.findall(r"[a-z0-9]+", plain.encode("ascii", "ignore").decode().lower())
    return "-".join(words)[:64].rstrip("-") or "character"


def reason(done: Done) -> Reason:
    """Return why an answer ended, in OpenAI's words."""
    return "length" if done.finish_reason == "length" else "stop"


def chat_logprobs(tokens: Sequence[Likely]) -> ChoiceLogprobs:
    """Return tokens in the shape of chat completions."""

    def chance(token: Likely) -> dict[str, Any]:
        given = None if token.bytes is None else list(token.bytes)
        return {"token": token.token, "logprob": token.logprob, "bytes": given}

    return ChoiceLogprobs(
        content=[
            TokenLogprob(**chance(token), top_logprobs=[TokenChance(**chance(other)) for other in token.top])
            for token in tokens
        ]
    )


def text_logprobs(tokens: Sequence[Likely], offset: int) -> TextLogprobs:
    """Return tokens in the shape of text completions; ``offset`` is the first one's place in the text."""
    offsets = []
    for token in tokens:
        offsets.append(offset)
        offset += len(token.token)
    return TextLogprobs(
        tokens=[token.token for token in tokens],
        token_logprobs=[token.logprob for token in tokens],
        top_logprobs=[{other.token: other.logprob for other in token.top} for token in tokens],
        text_offset=offsets,
    )
