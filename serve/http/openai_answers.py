"""Answers to clients of OpenAI's API, whole or as a stream: one after another where a request asks for several."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from flask import Response, stream_with_context
from pydantic import BaseModel

from curation.record import Message
from serve.answering import answers
from serve.answering.service import Service
from serve.engine import Delta, Done, Event, Likely, Queued, Settings
from serve.http import errors, sse
from serve.http import openai_responses as shapes
from serve.http.current import client_gone
from serve.http.openai_parts.parameters import Parameters
from serve.http.responses import Usage, json_response, plain, usage

log = logging.getLogger("serve")

# Names what had no effect: keys that are not known here, and system messages where the policy is `ours`.
IGNORED = "Inosuke-Ignored"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One answer to make."""

    turns: tuple[Message, ...]
    settings: Settings
    echo: str = ""


class ChatShape:
    """How answers of ``/v1/chat/completions`` are written."""

    prefix, chunk = "chatcmpl", "chat.completion.chunk"

    def opening(self, index: int, one: Asked) -> dict[str, Any] | None:
        """Return the first chunk of an answer, or None."""
        return _chat_chunk(index, {"role": "assistant", "content": ""})

    def delta(self, index: int, event: Delta, length: int) -> dict[str, Any]:
        """Return the chunk of a piece; ``length`` is how much text came before it."""
        return _chat_chunk(index, {"content": event.text}, event.likely)

    def end(self, index: int, done: Done) -> dict[str, Any]:
        """Return the last chunk of an answer."""
        return _chat_chunk(index, {}) | {"finish_reason": shapes.reason(done)}

    def choice(self, index: int, one: Asked, text: str, tokens: list[Likely], done: Done) -> Any:
        """Return one whole answer."""
        message = shapes.AssistantMessage(content=text)
        logprobs = shapes.chat_logprobs(tokens) if one.settings.logprobs is not None else None
        return shapes.Choice(index=index, message=message, logprobs=logprobs, finish_reason=shapes.reason(done))

    def whole(self, head: dict[str, Any], choices: list[Any], total: Usage) -> BaseModel:
        """Return all answers."""
        return shapes.ChatCompletion(**head, choices=choices, usage=total)


class TextShape:
    """How answers of ``/v1/completions`` are written."""

    prefix, chunk = "cmpl", "text_completion"

    def opening(self, index: int, one: Asked) -> dict[str, Any] | None:
        """Return the first chunk of an answer, or None."""
        return _text_chunk(index, one.echo) if one.echo else None

    def delta(self, index: int, event: Delta, length: int) -> dict[str, Any]:
        """Return the chunk of a piece; ``length`` is how much text came before it."""
        return _text_chunk(index, event.text, event.likely, length)

    def end(self, index: int, done: Done) -> dict[str, Any]:
        """Return the last chunk of an answer."""
        return _text_chunk(index, "") | {"finish_reason": shapes.reason(done)}

    def choice(self, index: int, one: Asked, text: str, tokens: list[Likely], done: Done) -> Any:
        """Return one whole answer."""
        asked = one.settings.logprobs is not None
        logprobs = shapes.text_logprobs(tokens, len(one.echo)) if asked else None
        return shapes.TextChoice(
            text=one.echo + text, index=index, logprobs=logprobs, finish_reason=shapes.reason(done)
        )

    def whole(self, head: dict[str, Any], choices: list[Any], total: Usage) -> BaseModel:
        """Return all answers."""
        return shapes.TextCompletion(**head, choices=choices, usage=total)


Shape = ChatShape | TextShape


def _chat_chunk(index: int, delta: dict[str, str], tokens: Sequence[Likely] = ()) -> dict[str, Any]:
    logprobs = plain(shapes.chat_logprobs(tokens)) if tokens else None
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": None}


def _text_chunk(index: int, text: str, tokens: Sequence[Likely] = (), offset: int = 0) -> dict[str, Any]:
    logprobs = plain(shapes.text_logprobs(tokens, offset)) if tokens else None
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": None}


def respond(
    serving: Service, body: Parameters, asked: Sequence[Asked], shape: Shape, ignored: Sequence[str]
) -> Response:
    """Make the answers; ``ignored`` are the keys and messages that have no effect. Raises what an engine raises."""
    head = {
        "id": f"{shape.prefix}-{uuid.uuid4().hex}",
        "created": int(time.time()),
        "model": shapes.model_id(serving.persona),
    }
    gone = client_gone()

    def begin(one: Asked) -> Generator[Event]:
        return _joined(answers.begin(serving, one.turns, one.settings, gone, bool(body.stream)), one.turns[-1])

    if body.stream:
        first = begin(asked[0])
        response = sse.response(stream_with_context(_stream(asked, first, begin, head, shape, body.with_usage)))
    else:
        choices, total = [], Done("stop", 0, 0)
        for index, one in enumerate(asked):
            text, done, tokens = _whole(begin(one))
            total = _sum(total, done)
            choices.append(shape.choice(index, one, text, tokens, done))
        response = json_response(shape.whole(head, choices, usage(total)))
    if ignored:
        names = ", ".join(name.encode("ascii", "backslashreplace").decode()[:64] for name in ignored[:20])
        names = "".join(letter if letter.isprintable() else "?" for letter in names)
        response.headers[IGNORED] = names
        log.info("a request to /v1 has what had no effect: %s", names)
    return response


def _joined(events: Generator[Event], last: Message) -> Generator[Event]:
    """Pass on an answer. Where it continues words that end with a space, it does not begin with another one."""
    begins = last.role == "assistant" and last.content[-1:].isspace()
    with closing(events):
        for event in events:
            if begins and isinstance(event, Delta):
                event = Delta(event.text.lstrip(), event.likely)
                begins = not event.text
            yield event


def _whole(events: Generator[Event]) -> tuple[str, Done, list[Likely]]:
    tokens: list[Likely] = []

    def listened() -> Generator[Event]:
        with closing(events):
            for event in events:
                if isinstance(event, Delta):
                    tokens.extend(event.likely)
                yield event

    text, done = answers.whole(listened())
    return text, done, tokens


def _sum(total: Done, done: Done) -> Done:
    prompt, made = total.prompt_tokens + done.prompt_tokens, total.completion_tokens + done.completion_tokens
    return Done(done.finish_reason, prompt, made)


def _stream(
    asked: Sequence[Asked],
    first: Generator[Event],
    begin: Callable[[Asked], Generator[Event]],
    head: dict[str, Any],
    shape: Shape,
    with_usage: bool,
) -> Iterator[bytes]:
    head = {**head, "object": shape.chunk}

    def chunk(choice: dict[str, Any]) -> bytes:
        # With include_usage every chunk has the key, as the API's reference says.
        return _data({**head, "choices": [choice]} | ({"usage": None} if with_usage else {}))

    total, running = Done("stop", 0, 0), first
    try:
        for index, one in enumerate(asked):
            running = running if not index else begin(one)
            length = len(one.echo)
            with closing(running):
                if opening := shape.opening(index, one):
                    yield chunk(opening)
                for event in running:
                    if isinstance(event, Delta):
                        yield chunk(shape.delta(index, event, length))
                        length += len(event.text)
                    elif isinstance(event, Done):
                        total = _sum(total, event)
                        yield chunk(shape.end(index, event))
                    else:  # comments, which clients skip
                        yield (
                            f": place {event.place} in the line\n\n".encode() if isinstance(event, Queued) else sse.PING
                        )
        if with_usage:
            yield _data({**head, "choices": [], "usage": plain(usage(total))})
        yield b"data: [DONE]\n\n"
    except Exception as error:
        yield _data({"error": errors.shape(*errors.known(error))})
    finally:
        running.close()


def _data(value: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()
