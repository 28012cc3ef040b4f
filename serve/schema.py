"""What ``POST /api/chat`` takes, checked once here; inside, types are trusted."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from curation.record import Message
from serve.engine import Settings

MAX_MESSAGES = 400
MAX_CHARS = 4000
MAX_BODY = 2 * 1024 * 1024

# Tab and the two line ends are text; the others are not, the second row of controls (U+0085, U+009B) among them, and
# neither is half of a surrogate pair.
_NO_TEXT = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)} - set(map(ord, "\t\n\r")))


def only_text(said: str) -> str:
    """Return what a model said without what :func:`text_problem` would refuse when the page sends it back."""
    return said.translate(_NO_TEXT)


def text_problem(content: str) -> str | None:
    """Return what is wrong with a message, or None for text."""
    if not content.strip():
        return "the message is empty"
    if only_text(content) != content:
        return "the message holds control characters; expected text"
    return None


class MessageIn(BaseModel):
    """One turn. The persona's system prompt is the server's, so a client has no system messages."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["user", "assistant"]
    content: str = Field(max_length=MAX_CHARS)

    @field_validator("content")
    @classmethod
    def _is_text(cls, content: str) -> str:
        if wrong := text_problem(content):
            raise ValueError(wrong)
        return content


class ChatRequest(BaseModel):
    """The whole conversation so far, the oldest message first, the one to answer last."""

    model_config = ConfigDict(extra="forbid")

    messages: list[MessageIn] = Field(min_length=1, max_length=MAX_MESSAGES)
    settings: Settings = Settings()
    stream: bool = Field(default=False, strict=True)

    @field_validator("messages")
    @classmethod
    def _ends_with_user(cls, messages: list[MessageIn]) -> list[MessageIn]:
        if messages[-1].role != "user":
            raise ValueError(f"the last message is from `{messages[-1].role}`; expected one from `user` to answer")
        return messages

    def turns(self) -> tuple[Message, ...]:
        """Return the messages as the type that every stage passes on."""
        return tuple(Message(m.role, m.content) for m in self.messages)


def place(problem: ErrorDetails) -> str:
    """Return where in the body something is wrong: keys and numbers, as `messages.0.content`.

    pydantic also names the member of a union that it tried: `str`, `constrained-str`, `list[Part]`.
    """
    if problem["type"] == "extra_forbidden":  # which may be called anything, and is in no union
        return ".".join(map(str, problem["loc"]))
    return ".".join(str(part) for part in problem["loc"] if _is_key(part))


def _is_key(part: int | str) -> bool:
    return isinstance(part, int) or (part.isidentifier() and part != "str")


def first_problem(error: ValidationError) -> tuple[str, str]:
    """Return a code and a sentence for the first thing that is wrong, naming the key."""
    problem = error.errors(include_url=False)[0]
    where = place(problem) or "the body"
    kind = problem["type"]
    if kind == "json_invalid":
        return "invalid_json", f"the body is not JSON: {problem['ctx']['error']}."
    if kind == "extra_forbidden":
        return "unknown_key", f"`{where}` is not a key that is known here. Remove it."
    if where.endswith(".role"):
        seen = repr(problem["input"])[:40]
        hint = " The system prompt is the server's own." if seen == "'system'" else ""
        return "invalid_role", f"`{where}` is {seen}; expected 'user' or 'assistant'.{hint}"
    message = problem["msg"].removeprefix("Value error, ")
    return "invalid_request", f"`{where}`: {message[0].lower()}{message[1:]}."
