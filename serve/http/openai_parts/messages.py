"""A client's messages as a conversation with the character: what each role becomes, by the server's policy.

Clients send what suits other models: system messages anywhere, empty ones, results of tools, a last message of the
character that is to be continued. Nothing of it is dropped without being named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator

from curation.chat import Prompt, language_of
from curation.persona import Persona
from curation.record import Message
from serve.config import SystemPolicy
from serve.schema import MAX_CHARS, InvalidRequest, text_problem

# Of all system messages together: cards and world info are longer than what a visitor says.
MAX_SYSTEM_CHARS = 4 * MAX_CHARS
_SYSTEM = ("system", "developer")
_RESULT = ("tool", "function")
# A line of a transcript: a label of up to 40 characters, a colon, what is said.
_ANYONE = {"user", "human"}
_LINE = re.compile(r"(?P<label>[^\s:：][^\n:：]{0,39})[:：][ \t]?(?P<rest>.*)", re.DOTALL)


class Part(BaseModel):
    """A part of a message. Only text is supported."""

    type: Literal["text"]
    text: str


class OpenAIMessage(BaseModel):
    """One turn. System messages follow the server's policy; results of tools count as said by the user."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    name: Annotated[str, Field(max_length=64)] | None = None

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
        """The message's text, whether it came as one text, in parts or not at all."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "".join(part.text for part in self.content)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns to answer, perhaps after one system message, and the paths in the body of what was left out."""

    turns: tuple[Message, ...]
    left_out: tuple[str, ...] = ()

    @property
    def continues(self) -> bool:
        """Whether the reply continues the last turn, which is the character's own."""
        return self.turns[-1].role == "assistant"


def conversation(
    messages: Sequence[OpenAIMessage], policy: SystemPolicy, persona: Persona, prompt: Prompt
) -> Conversation:
    """Return the conversation that a client's messages make.

    System messages before the first turn belong to the system prompt; a later one is said in its place by the user,
    where models trained on conversations expect it. Messages without text say nothing. Raises InvalidRequest.
    """
    turns: list[Message] = []
    leading: list[str] = []
    left_out: list[str] = []
    for number, message in enumerate(messages):
        text = _text(message, number, last=number == len(messages) - 1)
        if not text:
            continue
        if message.role in _SYSTEM and policy == "ours":
            left_out.append(f"messages.{number}")
        elif message.role in _SYSTEM and not turns:
            leading.append(f"{message.name}: {text}" if message.name else text)
        elif message.role == "assistant":
            turns.append(Message("assistant", text))
        else:
            turns.append(Message("user", text, None if message.role in _SYSTEM else message.name))
    last = messages[-1].role
    if policy == "ours" and (last in _SYSTEM or not turns):
        raise InvalidRequest(
            "invalid_request",
            f"the last message is from `{last}`, and this server answers under the character's own system prompt alone "
            "(its setting is `--system ours`). Send it as `user`.",
            f"messages.{len(messages) - 1}.role",
        )
    if not turns and leading:
        turns.append(Message("user", leading.pop()))  # a client's quiet request, such as for a summary
    if not turns:
        raise InvalidRequest("invalid_request", "no message has any text; expected one to answer.", "messages")
    if sum(map(len, leading)) > MAX_SYSTEM_CHARS:
        raise InvalidRequest(
            "invalid_request",
            f"the system messages have {sum(map(len, leading))} characters together; expected at most "
            f"{MAX_SYSTEM_CHARS}.",
            "messages",
        )
    return Conversation(_with_system(turns, "\n\n".join(leading), policy, persona, prompt), tuple(left_out))


def transcript(text: str, stops: Sequence[str], persona: Persona) -> list[OpenAIMessage] | None:
    """Return the messages of a prompt that is a transcript with the character's turn last, or None for any other text.

    Speakers are known by ``persona.toml``, and by the stop texts: a client stops at the other speakers' labels, such as
    ``"\\nAnon:"``. What stands before the first speaker is a system message.
    """
    others = _ANYONE | {
        stop.strip().rstrip(":：").strip().casefold() for stop in stops if stop.strip().endswith((":", "："))
    }
    found: list[tuple[str, str]] = [("system", "")]
    for line in text.split("\n"):
        match = _LINE.fullmatch(line)
        label = match["label"].strip() if match else ""
        if match and persona.is_character(label):
            found.append(("assistant", match["rest"]))
        elif match and (persona.is_user(label) or label.casefold() in others):
            found.append(("user", match["rest"]))
        else:
            role, before = found[-1]
            found[-1] = (role, f"{before}\n{line}")
    if found[-1][0] != "assistant":
        return None
    messages = [{"role": role, "content": said.strip("\n")} for role, said in found if said.strip()]
    return [OpenAIMessage.model_validate(message) for message in messages]


def _text(message: OpenAIMessage, number: int, last: bool) -> str:
    """Return a message's text, or "" where it says nothing. Raises InvalidRequest."""
    text, at = message.text, f"messages.{number}.content"
    if not text.strip():
        if last and message.role == "user":
            raise InvalidRequest("invalid_request", "the message is empty; expected a text to answer.", at)
        return ""
    if wrong := text_problem(text):
        raise InvalidRequest("invalid_request", f"{wrong}.", at)
    most = MAX_SYSTEM_CHARS if message.role in _SYSTEM else MAX_CHARS
    if len(text) > most:
        raise InvalidRequest("invalid_request", f"a message has {len(text)} characters; expected at most {most}.", at)
    return text


def _with_system(
    turns: list[Message], theirs: str, policy: SystemPolicy, persona: Persona, prompt: Prompt
) -> tuple[Message, ...]:
    if not theirs:
        return tuple(turns)
    if prompt == "alpaca":  # it has no system prompt
        at = next((at for at, turn in enumerate(turns) if turn.role == "user"), None)
        if at is None:
            return (Message("user", theirs), *turns)
        told = Message("user", f"{theirs}\n\n{turns[at].content}", turns[at].name)
        return (*turns[:at], told, *turns[at + 1 :])
    ours = persona.system_prompt_in(language_of(turns, persona))
    return (Message("system", theirs if policy == "theirs" else f"{ours}\n\n{theirs}"), *turns)
