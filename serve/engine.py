"""The engine interface: messages in, events out. It knows nothing of HTTP, queues or files.

The events of one answer are any number of :class:`Delta`, then exactly one :class:`Done`. :class:`Queued` comes from
the waiting line in front of the engine (:mod:`serve.answering.waiting_line`), never from the engine itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

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
class Delta:
    """The next piece of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an answer. ``dropped`` counts the oldest messages that did not fit into the context window.

    ``avoided`` and ``loops`` count how often the model was stopped at a word that the character avoids, or in a loop.
    """

    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    dropped: int = 0
    avoided: int = 0
    loops: int = 0


Event = Queued | Delta | Done


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


class ConversationTooLong(InosukeError):
    """Even the last exchange does not fit into the context window."""


class EngineFailed(InosukeError):
    """The model failed, or the server behind an engine does not answer. The message is safe to show to a client."""
