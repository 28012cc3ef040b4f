"""The body of ``POST /api/chat``, and the checks of all request bodies. Inside the server, types are trusted."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from curation.errors import InosukeError, explain
from curation.record import Message
from serve.engine import Settings

MAX_MESSAGES = 400
MAX_CHARS = 4000
MAX_MEMORY = 2000  # characters
MAX_PINNED, MAX_PINNED_CHARS = 20, 200
MAX_BODY = 2 * 1024 * 1024  # bytes

# Control characters other than tab and line ends, including those from U+0080 to U+009F, and halves of surrogate pairs.
_NOT_TEXT = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)} - set(map(ord, "\t\n\r")))

M = TypeVar("M", bound=BaseModel)


class InvalidRequest(InosukeError):
    """A request body is wrong. ``code`` is for programs; ``key`` is the path of the wrong key, or None."""

    def __init__(self, code: str, message: str, key: str | None) -> None:
        super().__init__(message)
        self.code = code
        self.key = key


def validated(model: type[M], body: bytes) -> M:
    """Return the checked body of a request. Raises InvalidRequest about the first thing that is wrong."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error, model) from None


def only_text(content: str) -> str:
    """Return a model's text without the characters that :func:`text_problem` would refuse in the next request."""
    return content.translate(_NOT_TEXT)


def text_problem(content: str) -> str | None:
    """Return what is wrong with a message, or None."""
    if not content.strip():
        return "the message is empty"
    if only_text(content) != content:
        return "the message contains control characters; expected text"
    return None


class MessageIn(BaseModel):
    """One turn. The system prompt belongs to the server, so a client sends no system messages."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["user", "assistant"]
    content: str = Field(max_length=MAX_CHARS)

    @field_validator("content")
    @classmethod
    def _is_text(cls, content: str) -> str:
        if wrong := text_problem(content):
            raise ValueError(wrong)
        return content


def _plain(text: str) -> str:
    if only_text(text) != text:
        raise ValueError("the text contains control characters")
    return text


Memory = Annotated[str, Field(max_length=MAX_MEMORY, strict=True), AfterValidator(_plain)]
Fact = Annotated[str, Field(min_length=1, max_length=MAX_PINNED_CHARS, strict=True), AfterValidator(_plain)]


class Remembered(BaseModel):
    """What the character shall remember; the client keeps it. Both stand in the system prompt."""

    model_config = ConfigDict(extra="forbid")

    memory: Memory = Field(default="", description="What fell out of the window, in a few lines: see /api/memory.")
    pinned: list[Fact] = Field(default_factory=list, max_length=MAX_PINNED, description="Facts that always stay.")


class MemoryRequest(BaseModel):
    """Messages that fell out of the window, and what is remembered so far."""

    model_config = ConfigDict(extra="forbid")

    messages: list[MessageIn] = Field(min_length=1, max_length=MAX_MESSAGES)
    memory: Memory = ""

    def turns(self) -> tuple[Message, ...]:
        """Return the messages as the type that every stage passes on."""
        return tuple(Message(m.role, m.content) for m in self.messages)


class CountRequest(Remembered):
    """A conversation to count, and the message that is being typed."""

    messages: list[MessageIn] = Field(default_factory=list, max_length=MAX_MESSAGES)
    draft: str = Field(default="", max_length=MAX_CHARS, strict=True)

    def turns(self) -> tuple[Message, ...]:
        """Return the messages as the type that every stage passes on, with the draft as the last one."""
        typed = (Message("user", only_text(self.draft)),) if self.draft.strip() else ()
        return (*(Message(m.role, m.content) for m in self.messages), *typed)


class ChatRequest(Remembered):
    """The whole conversation so far, the oldest message first. The last message is the one to answer."""

    messages: list[MessageIn] = Field(min_length=1, max_length=MAX_MESSAGES)
    settings: Settings = Field(default_factory=Settings)
    stream: bool = Field(default=False, strict=True)
    continues: bool = Field(
        default=False,
        strict=True,
        alias="continue",
        description="The last message is the character's own; the answer is what follows it.",
    )

    @model_validator(mode="after")
    def _ends_with_what_is_answered(self) -> ChatRequest:
        last, expected = self.messages[-1].role, "assistant" if self.continues else "user"
        if last != expected:
            what = "to continue" if self.continues else "to answer"
            raise ValueError(f"`messages`: the last message is from `{last}`; expected one from `{expected}` {what}")
        return self

    def turns(self) -> tuple[Message, ...]:
        """Return the messages as the type that every stage passes on."""
        return tuple(Message(m.role, m.content) for m in self.messages)


def _refusal(error: ValidationError, model: type[BaseModel]) -> InvalidRequest:
    problem = error.errors(include_url=False)[0]
    kind, where = problem["type"], _keys(problem)
    first = ValidationError.from_exception_data(
        error.title, [{"type": kind, "loc": where, "input": problem["input"], "ctx": problem.get("ctx", {})}]
    )
    code = {"json_invalid": "invalid_json", "extra_forbidden": "unknown_key"}.get(kind, "invalid_request")
    message, hint = explain(first, model), ""
    if where[-1:] == ("role",):
        code = "invalid_role"
        hint = " The server has a system prompt of its own." if problem["input"] == "system" else ""
    return InvalidRequest(code, f"{message.rstrip('.')}.{hint}", ".".join(map(str, where)) or None)


def _keys(problem: ErrorDetails) -> tuple[int | str, ...]:
    """Return where in the body a problem is: keys and numbers, such as ``("messages", 0, "content")``.

    pydantic also names the member of a union that it tried: `str`, `constrained-str`, `list[Part]`.
    """
    if problem["type"] == "extra_forbidden":  # the key may have any name, and is not part of a union
        return problem["loc"]
    return tuple(p for p in problem["loc"] if isinstance(p, int) or (p.isidentifier() and p not in ("str", "int")))
