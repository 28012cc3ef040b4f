"""The engine interface: messages in, events out. It knows nothing of HTTP, queues or files.

The events of one answer are any number of :class:`Reading`, then of :class:`Delta`, then exactly one :class:`Done`.
:class:`Queued` and :class:`Alive` come from what stands in front of the engine (:mod:`serve.answering`), never from the
engine itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from curation.errors import InosukeError
from curation.record import Message

# The most answers that any engine makes at the same time. The server has a thread for each.
MOST_SLOTS = 32
FinishReason = Literal["stop", "length", "cancelled"]
Cancelled = Callable[[], bool]


def _hide_default(schema: dict[str, Any]) -> None:
    """Leave the default out of a schema: which one applies depends on the served model."""
    schema.pop("default", None)


class Settings(BaseModel):
    """Sampling settings. ``temperature`` 0 always takes the likeliest token; a ``seed`` makes an answer repeatable.

    For what a request leaves out, the server has values that suit the model it serves; ``/api/info`` lists them.
    ``top_k`` 0, ``min_p`` 0, ``repetition_penalty`` 1 and ``dry_multiplier`` 0 are off; :mod:`curation.repeats`
    describes the last one.
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

    def over(self, defaults: Settings) -> Settings:
        """Return ``defaults`` with the values that were given here."""
        return defaults.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})


@dataclass(frozen=True, slots=True)
class Queued:
    """A place in the waiting line. 1 is the next to be answered."""

    place: int


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
    """The next piece of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an answer. ``dropped`` counts the oldest messages that did not fit into the context window."""

    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    dropped: int = 0


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

    def stream(self, messages: Sequence[Message], settings: Settings, cancelled: Cancelled) -> Iterator[Event]:
        """Answer the last message. Calls ``cancelled`` between tokens; once it is true, ``Done("cancelled")`` is next.

        Raises ConversationTooLong before the first event when even the last exchange does not fit.
        """


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
