"""The body of ``POST /v1/chat/completions`` (https://platform.openai.com/docs/api-reference/chat).

Keys that would change the answer and are not supported are refused; others that clients send by habit are ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from curation.record import Message
from serve.engine import Settings
from serve.schema import MAX_CHARS, MAX_MESSAGES, text_problem

_MOST_TOKENS = 1024
Text = Annotated[str, Field(min_length=1, max_length=64)]


class Part(BaseModel):
    """A part of a message. Only text is supported."""

    type: Literal["text"]
    text: str


class OpenAIMessage(BaseModel):
    """One turn. A client's system prompt is ignored; the persona's is used."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]

    @field_validator("content", mode="before")
    @classmethod
    def _has_text_parts(cls, content: Any) -> Any:
        if isinstance(content, list):
            kinds = [part.get("type") for part in content if isinstance(part, dict)]
            if other := [kind for kind in kinds if kind != "text"]:
                raise ValueError(
                    f"a part has the type {str(other[0])[:40]!r}; expected `text`, the only type that is supported"
                )
        return content

    @property
    def text(self) -> str:
        """The message's text, whether it came as one text or in parts."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class StreamOptions(BaseModel):
    """Whether the last chunk of a stream has the token counts."""

    include_usage: bool = False


class Completion(BaseModel):
    """A request for the next reply."""

    model_config = ConfigDict(extra="ignore")

    messages: list[OpenAIMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    model: str | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1, description="More than 1024 counts as 1024.")
    max_completion_tokens: int | None = Field(default=None, ge=1)
    stop: Text | Annotated[list[Text], Field(max_length=4)] | None = None
    seed: int | None = None
    n: int | None = Field(default=1, ge=1, le=1)
    repetition_penalty: float | None = Field(default=None, ge=1, le=2)
    dry_multiplier: float | None = Field(default=None, ge=0, le=5)
    top_k: int | None = Field(default=None, ge=0, le=1000)
    min_p: float | None = Field(default=None, ge=0, lt=1)

    @model_validator(mode="before")
    @classmethod
    def _is_supported(cls, body: Any) -> Any:
        if isinstance(body, dict):
            for key in ("tools", "functions", "logprobs", "audio"):
                if body.get(key):
                    raise ValueError(f"`{key}` is not supported: this character only writes text. Leave it out")
            form = body.get("response_format")
            if isinstance(form, dict) and form.get("type", "text") != "text":
                raise ValueError("`response_format` can only be text here. Leave it out")
        return body

    @field_validator("messages")
    @classmethod
    def _is_a_conversation(cls, messages: list[OpenAIMessage]) -> list[OpenAIMessage]:
        if messages[-1].role != "user":
            raise ValueError(f"the last message is from `{messages[-1].role}`; expected one from `user` to answer")
        for message in messages:
            if message.role in ("user", "assistant") and (wrong := text_problem(message.text)):
                raise ValueError(wrong)
            if len(message.text) > MAX_CHARS and message.role in ("user", "assistant"):
                raise ValueError(f"a message has {len(message.text)} characters; expected at most {MAX_CHARS}")
        return messages

    def turns(self) -> tuple[Message, ...]:
        """Return the messages as the type that every stage passes on, without a system prompt."""
        return tuple(Message(m.role, m.text) for m in self.messages if m.role == "user" or m.role == "assistant")

    def settings(self) -> Settings:
        """Return the sampling settings that are given."""
        most = self.max_completion_tokens or self.max_tokens
        given: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "repetition_penalty": self.repetition_penalty,
            "dry_multiplier": self.dry_multiplier,
            "top_k": self.top_k,
            "min_p": self.min_p,
            "max_new_tokens": most and min(most, _MOST_TOKENS),
            "seed": self.seed % 2**63 if self.seed is not None else None,
            "stop": (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ()),
        }
        return Settings(**{k: v for k, v in given.items() if v is not None})
