"""The JSON that the server answers with. :mod:`serve.http.openapi` describes it from these same types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response, jsonify
from pydantic import BaseModel, ConfigDict, Field

from serve.engine import Done, FinishReason, Settings
from serve.schema import MAX_CHARS, MAX_MEMORY, MAX_MESSAGES, MAX_PINNED, MAX_PINNED_CHARS

Number = Annotated[int, Field(ge=0)]


class Usage(BaseModel):
    """Token counts, under the names that OpenAI's clients know."""

    prompt_tokens: Number
    completion_tokens: Number
    total_tokens: Number


class FactTold(BaseModel):
    """A fact of the lorebook that the character was told before it answered."""

    name: str
    text: str


class Ending(BaseModel):
    """How an answer ended."""

    finish_reason: FinishReason
    usage: Usage
    dropped_messages: Number = Field(description="How many of the oldest messages did not fit into the context window.")
    run: str | None
    facts: list[FactTold] = Field(
        default_factory=list, description="The lorebook's facts that the conversation made fire, constant ones aside."
    )


class Reply(Ending):
    """A whole answer."""

    reply: str


class Limits(BaseModel):
    """How many messages a conversation may have, and how many characters a message.

    ``memory`` and ``pinned_chars`` are in characters too, ``pinned`` counts facts.
    """

    messages: int
    chars: int
    memory: int
    pinned: int
    pinned_chars: int


LIMITS = Limits(
    messages=MAX_MESSAGES, chars=MAX_CHARS, memory=MAX_MEMORY, pinned=MAX_PINNED, pinned_chars=MAX_PINNED_CHARS
)


class Remembering(BaseModel):
    """What is remembered of a conversation, a line each."""

    memory: str


class Count(BaseModel):
    """How much of the window a conversation takes; null where only a server behind the engine can count."""

    tokens: Number | None = Field(description="Of the whole conversation. Beyond twice the window it is an estimate.")
    window: Number | None = Field(description="How many tokens a prompt may have.")
    kept_from: Number = Field(description="The index of the first message that would be read, after the opening ones.")
    opening: Number = Field(description="How many messages at the beginning stay even so.")


class Info(BaseModel):
    """Who answers, with which model, and within which limits."""

    model_config = ConfigDict(protected_namespaces=())

    character: str
    languages: tuple[str, ...]
    engine: str
    model: str
    context: int | None
    window: int | None = Field(description="How many tokens a prompt may have with these settings.")
    remembers: bool = Field(description="Whether `memory` and `pinned` reach the model.")
    sums_up: bool = Field(default=True, description="Whether `POST /api/memory` is there.")
    run: str | None
    base: str | None
    dataset: str | None
    limits: Limits
    settings: Settings
    feedback: bool
    honours: tuple[str, ...] = Field(
        description="Which optional settings the engine applies; `continue_final_message` means that it continues a "
        "reply."
    )


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """The engine answers."""

    status: Literal["ready"] = "ready"
    running: Number
    waiting: Number


class Problem(BaseModel):
    """What went wrong: a code for programs, a message for people."""

    code: str
    message: str


class Error(BaseModel):
    """An error of our own API."""

    error: Problem


class OpenAIProblem(Problem):
    """What went wrong, as OpenAI's API has it."""

    type: str
    param: str | None


class OpenAIError(BaseModel):
    """An error under ``/v1/``."""

    error: OpenAIProblem


def usage(done: Done) -> Usage:
    """Return the token counts of an answer."""
    return Usage(
        prompt_tokens=done.prompt_tokens,
        completion_tokens=done.completion_tokens,
        total_tokens=done.prompt_tokens + done.completion_tokens,
    )


def plain(answer: BaseModel) -> dict[str, Any]:
    """Return an answer as plain objects."""
    return answer.model_dump(mode="json")


def json_response(answer: BaseModel, status: int = 200) -> Response:
    """Return an answer as a response."""
    response = jsonify(plain(answer))
    response.status_code = status
    return response
