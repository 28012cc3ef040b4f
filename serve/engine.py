"""The engine interface: messages in, events out. It knows nothing of HTTP, queues or files.

The events of one answer are any number of :class:`Reading`, then of :class:`Delta`, then exactly one :class:`Done`.
:class:`Queued` and :class:`Alive` come from what stands in front of the engine (:mod:`serve.answering`), never from the
engine itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, field_validator

from curation.errors import InosukeError
from curation.lorebook.book import Fact
from curation.record import Message
from serve.json_form import form_problem

# The most answers that any engine makes at the same time. The server has a thread for each.
MOST_SLOTS = 32
FinishReason = Literal["stop", "length", "cancelled"]
Cancelled = Callable[[], bool]


def _hide_default(schema: dict[str, Any]) -> None:
    """Leave the default out of a schema: which one applies depends on the served model."""
    schema.pop("default", None)


Bias = Annotated[float, Field(ge=-100.0, le=100.0)]
# What an engine may honour or not, each with the value at which it changes nothing. The last is not a setting: it is a
# conversation that ends with the character's own words, which the reply continues.
OPTIONAL: dict[str, Any] = {
    "top_k": 0,
    "min_p": 0.0,
    "typical_p": 1.0,
    "repetition_penalty": 1.0,
    "dry_multiplier": 0.0,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "logit_bias": {},
    "logprobs": None,
    "json_schema": None,
    "continue_final_message": False,
}


class Settings(BaseModel):
    """Sampling settings. ``temperature`` 0 always takes the likeliest token; a ``seed`` makes an answer repeatable.

    For what a request leaves out, the server has values that suit the model it serves; ``/api/info`` lists them.
    ``top_k`` 0, ``min_p`` 0, ``repetition_penalty`` 1 and ``dry_multiplier`` 0 are off; :mod:`curation.repeats`
    describes the last one. An engine names in ``honours`` which of :data:`OPTIONAL` it applies.
    """

    # The values below are for models that curation.bases does not know. The penalty is weak on purpose: a strong one
    # breaks words of scripts that a tokenizer spells in bytes; without any, a small model repeats itself without end.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    temperature: float = Field(default=0.5, ge=0.0, le=2.0, json_schema_extra=_hide_default)
    top_p: float = Field(default=0.9, gt=0.0, le=1.0, json_schema_extra=_hide_default)
    top_k: int = Field(default=0, ge=0, le=1000, json_schema_extra=_hide_default)
    min_p: float = Field(default=0.0, ge=0.0, lt=1.0, json_schema_extra=_hide_default)
    repetition_penalty: float = Field(default=1.05, ge=1.0, le=2.0, json_schema_extra=_hide_default)
    dry_multiplier: float = Field(default=0.0, ge=0.0, le=5.0, json_schema_extra=_hide_default)
    max_new_tokens: int = Field(default=200, ge=1, le=1024)
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    stop: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(
        default=(), max_length=4, strict=False, description="The reply ends before the first of these texts."
    )
    typical_p: float = Field(default=1.0, gt=0.0, le=1.0)
    frequency_penalty: float = Field(default=0.0, ge=-2.0, le=2.0)
    presence_penalty: float = Field(default=0.0, ge=-2.0, le=2.0)
    logit_bias: dict[Annotated[int, Field(ge=0, lt=2**31, strict=False)], Bias] = Field(
        default_factory=dict, max_length=1024, description="What is added to a token's score, by its id."
    )
    logprobs: int | None = Field(
        default=None, ge=0, le=20, description="How many likely tokens to report at each place, under `/v1` only."
    )
    json_schema: dict[str, Any] | None = Field(
        default=None, description="The reply is JSON of this form: a subset of JSON Schema."
    )

    @field_validator("json_schema")
    @classmethod
    def _is_a_form(cls, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        if schema is not None and (wrong := form_problem(schema)):
            raise ValueError(wrong)
        return schema

    def over(self, defaults: Settings) -> Settings:
        """Return ``defaults`` with the values that were given here."""
        return defaults.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})


@dataclass(frozen=True, slots=True)
class Queued:
    """A place in the waiting line. 1 is the next to be answered."""

    place: int


@dataclass(frozen=True, slots=True)
class Likely:
    """A token and the logarithm of its probability; ``top`` are the likeliest tokens at its place."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None
    top: tuple[Likely, ...] = ()


@dataclass(frozen=True, slots=True)
class Alive:
    """Nothing new, but the answer is still being worked on: sent so that no proxy closes a silent connection."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The model reads the prompt: ``done`` of ``total`` tokens. What was cached counts as done."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of the reply; ``likely`` has its tokens where ``logprobs`` asks for them."""

    text: str
    likely: tuple[Likely, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an answer. ``dropped`` counts the oldest messages that did not fit into the context window.

    ``avoided`` and ``loops`` count how often the model was stopped at a word that the character avoids, or in a loop.
    ``facts`` are those of the lorebook that the model was told; :mod:`serve.answering.answers` adds them.
    """

    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    dropped: int = 0
    avoided: int = 0
    loops: int = 0
    facts: tuple[Fact, ...] = ()


Event = Queued | Alive | Reading | Delta | Done


@dataclass(frozen=True, slots=True)
class Counted:
    """``tokens`` of a whole conversation, and ``window``, how many its prompt may have.

    The model would read the first ``opening`` turns and those from ``kept_from`` on.
    """

    tokens: int
    window: int
    kept_from: int
    opening: int


class Engine(Protocol):
    """Generates the character's replies."""

    name: str
    """The word after ``--engine``."""
    model: str
    """The model's name, for people to read."""
    context: int | None
    """How many tokens prompt and reply may have together. None where only a server behind the engine knows."""
    slots: int
    """How many answers it makes at the same time."""
    honours: frozenset[str]
    """Which of :data:`OPTIONAL` it applies. The rest is refused before it is called."""

    def stream(self, messages: Sequence[Message], settings: Settings, cancelled: Cancelled) -> Iterator[Event]:
        """Answer the last message; where that is the character's own, continue it. A system message, if any, is first.

        Calls ``cancelled`` between tokens; once it is true, ``Done("cancelled")`` is next.

        Raises ConversationTooLong before the first event when even the last exchange does not fit.
        """

    def tokens(self, text: str) -> list[int] | None:
        """Return the ids of what is said, in which a control token is text. None where they are not known here."""


@runtime_checkable
class CountsTokens(Protocol):
    """What an engine with a tokenizer of its own can tell before it answers."""

    def check(self, messages: Sequence[Message], settings: Settings) -> None:
        """Raise ConversationTooLong where an answer would."""

    def check_memory(self, turns: Sequence[Message], told: Sequence[Message], settings: Settings) -> None:
        """Raise MemoryTooLong where what ``told`` remembers beside ``turns`` takes too much of the window."""

    def count(self, messages: Sequence[Message], settings: Settings) -> Counted:
        """Return how much of the window a conversation takes."""


class ConversationTooLong(InosukeError):
    """Even the last exchange does not fit into the context window."""


class MemoryTooLong(InosukeError):
    """What the character shall remember leaves too little room for the conversation."""


class EngineFailed(InosukeError):
    """The model failed, or the server behind an engine does not answer. The message is safe to show to a client."""
