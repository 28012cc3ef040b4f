"""Any OpenAI-compatible server over HTTP: vLLM, llama.cpp, Ollama, a hosted one.

Each request carries the conversation's own system prompt, or the persona's in its language. The other server renders
the prompt and counts tokens, and it cannot be asked for another token: a reply ends before a word that the character
avoids, and where it becomes a loop. When it refuses a conversation as too long, the oldest exchanges are left out until
it fits.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import closing
from queue import SimpleQueue
from typing import Any

import httpx

from curation.chat import system_prompt
from curation.errors import InosukeError, UsageError
from curation.persona import Persona
from curation.record import Message
from serve.engine import (
    MOST_SLOTS,
    OPTIONAL,
    Cancelled,
    ConversationTooLong,
    Delta,
    Done,
    EngineFailed,
    Event,
    FinishReason,
    Likely,
    Settings,
)
from serve.engines.chunk_queue import Chunk, likely, received
from serve.engines.options import Options
from serve.speaking.draft import Draft, Rewind
from serve.speaking.guard import Guard

KEY_VARIABLE = "INOSUKE_OPENAI_KEY"
# A large model on a busy server may take a while before its first token; connecting must be quick.
_TIMEOUT = httpx.Timeout(120.0, connect=5.0)
# How servers report that a conversation does not fit: OpenAI's code, llama.cpp's type, vLLM's words.
_TOO_LONG = ("context_length_exceeded", "exceed_context_size", "maximum context length")


Body = dict[str, Any]
# How a setting is written in the body of any server.
_STANDARD: dict[str, Callable[[Any], Body]] = {
    "frequency_penalty": lambda value: {"frequency_penalty": value},
    "presence_penalty": lambda value: {"presence_penalty": value},
    "logit_bias": lambda value: {"logit_bias": {str(token): bias for token, bias in value.items()}},
    "logprobs": lambda value: {"logprobs": True, "top_logprobs": value},
    "json_schema": lambda value: {
        "response_format": {"type": "json_schema", "json_schema": {"name": "reply", "schema": value}}
    },
}
# What some servers take besides, by the owner that they name in their list of models.
_NAMES: dict[str, dict[str, Callable[[Any], Body]]] = {
    "vllm": {
        "top_k": lambda value: {"top_k": value},
        "min_p": lambda value: {"min_p": value},
        "repetition_penalty": lambda value: {"repetition_penalty": value},
    },
    "llamacpp": {
        "top_k": lambda value: {"top_k": value},
        "min_p": lambda value: {"min_p": value},
        "typical_p": lambda value: {"typical_p": value},
        "repetition_penalty": lambda value: {"repeat_penalty": value},
        "dry_multiplier": lambda value: {"dry_multiplier": value},
    },
}
# What makes them continue a last message of the character.
_CONTINUE: dict[str, Body] = {
    "vllm": {"continue_final_message": True, "add_generation_prompt": False},
    "llamacpp": {},
    "library": {},  # Ollama
}


class OpenAIEngine:
    """A client for ``POST {url}/chat/completions``. ``slots`` is generous: the server behind it has its own queue."""

    name = "openai"
    context = None
    slots = MOST_SLOTS

    def __init__(self, client: httpx.AsyncClient, model: str, persona: Persona, kind: str = "") -> None:
        self.model = model
        self._names = _STANDARD | _NAMES.get(kind, {})
        self._last = _CONTINUE.get(kind)
        self.honours = frozenset(self._names) | ({"continue_final_message"} if self._last is not None else set())
        self._client = client
        self._persona = persona
        self._guard = Guard(persona)
        # One thread does all the reading, so an answer can be abandoned even while the server is silent.
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=_work, args=(self._loop, client), name="openai", daemon=True).start()
        # The thread refers to the loop and not to the engine: when the engine is garbage-collected, the thread ends.
        weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)

    def stream(self, messages: Sequence[Message], settings: Settings, cancelled: Cancelled) -> Iterator[Event]:
        """See :meth:`serve.engine.Engine.stream`."""
        told = [m for m in messages if m.role == "system"]
        turns = [m for m in messages if m.role != "system"]
        dropped = 0
        while True:
            try:
                yield from self._answer([*told, *turns[dropped:]], settings, cancelled, dropped)
                return
            except ConversationTooLong:
                starts = [n for n, m in enumerate(turns) if m.role == "user" and n > dropped]
                if not starts:
                    raise
                # A quarter at a time, so that a long conversation is not sent a hundred times.
                dropped = starts[len(starts) // 4]

    def tokens(self, text: str) -> list[int] | None:
        """See :meth:`serve.engine.Engine.tokens`."""
        return None

    def _answer(
        self, messages: Sequence[Message], settings: Settings, cancelled: Cancelled, dropped: int
    ) -> Iterator[Event]:
        reason: FinishReason = "cancelled"
        usage: dict[str, int] = {}
        draft = Draft(self._guard if settings.json_schema is None else Guard(None), may_rewind=False)
        then: Rewind | bool = True
        tokens: list[Likely] = []
        try:
            with closing(self._chunks(self._request(messages, settings), cancelled)) as chunks:
                for chunk in chunks:
                    usage = chunk.get("usage") or usage
                    for choice in chunk.get("choices") or ():
                        if text := (choice.get("delta") or {}).get("content"):
                            tokens += likely(choice.get("logprobs"), settings.logprobs)
                            shown, then = draft.add(0, text)
                            if shown:
                                yield Delta(shown, tuple(tokens))
                                tokens = []
                        if ending := choice.get("finish_reason"):
                            reason = "length" if ending == "length" else "stop"
                    if then is False:
                        break
        except httpx.HTTPError as error:
            raise EngineFailed(f"the model server at {self._client.base_url} does not answer ({error!r}).") from error
        if then is False:
            reason = "stop"
        elif reason != "cancelled" and (rest := draft.end_here()):
            yield Delta(rest, tuple(tokens))
        made = usage.get("completion_tokens", 0)
        yield Done(
            reason, usage.get("prompt_tokens", 0), made, dropped, draft.stopped["avoided"], draft.stopped["loop"]
        )

    def _request(self, messages: Sequence[Message], settings: Settings) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": system_prompt(messages, self._persona)},
                *(
                    {"role": m.role, "content": f"{m.facts}\n\n{m.content}" if m.facts else m.content}
                    | ({"name": m.name} if m.name else {})
                    for m in messages
                    if m.role != "system"
                ),
            ],
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "max_tokens": settings.max_new_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if settings.stop:
            body["stop"] = list(settings.stop)
        if settings.seed is not None:
            body["seed"] = settings.seed
        # Only what differs from "off": hosted servers refuse keys that they do not know, whatever their value.
        for name, theirs in self._names.items():
            if (value := getattr(settings, name)) != OPTIONAL[name]:
                body |= theirs(value)
        if messages[-1].role == "assistant":
            body |= self._last or {}
        return body

    def _chunks(self, body: dict[str, Any], cancelled: Cancelled) -> Generator[Chunk]:
        """Yield the chunks of one answer. Ends early, and closes the connection, when the client has gone."""
        chunks: SimpleQueue[Chunk | None] = SimpleQueue()
        reading = asyncio.run_coroutine_threadsafe(_read(self._client, body, chunks.put), self._loop)
        reading.add_done_callback(lambda _: chunks.put(None))
        try:
            complete = yield from received(chunks, cancelled)
        finally:
            reading.cancel()
        if complete:
            reading.result()  # raises what went wrong


def load(options: Options) -> OpenAIEngine:
    """Connect to the server and choose its model. Raises InosukeError when it does not answer."""
    if options.url is None:
        raise UsageError("the engine `openai` needs --url, for example --url http://127.0.0.1:8000/v1")
    key = os.environ.get(KEY_VARIABLE)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    models = _models(options.url, headers, needed=options.model is None)
    model = options.model or models[0]["id"]
    limits = httpx.Limits(max_connections=OpenAIEngine.slots)
    client = httpx.AsyncClient(base_url=options.url, timeout=_TIMEOUT, headers=headers, limits=limits)
    return OpenAIEngine(client, model, options.persona, str(models[0].get("owned_by")) if models else "")


def _models(url: str, headers: dict[str, str], needed: bool) -> list[dict[str, Any]]:
    """Return the models that a server lists: at least one, or none where none is ``needed``."""
    try:
        response = httpx.get(f"{url.rstrip('/')}/models", timeout=_TIMEOUT, headers=headers)
        response.raise_for_status()
        models = [{"id": str(model["id"]), "owned_by": model.get("owned_by")} for model in response.json()["data"]]
        if not models:
            raise LookupError("the list is empty")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError, AttributeError) as error:
        if not needed:
            return []
        raise InosukeError(
            f"{url.rstrip('/')}/models did not list a model ({error!r}). Expected an OpenAI-compatible server. Check "
            f"that the address ends in /v1 and that {KEY_VARIABLE} holds the key; or name a model with --model."
        ) from error
    return models


def _work(loop: asyncio.AbstractEventLoop, client: httpx.AsyncClient) -> None:
    loop.run_forever()
    loop.run_until_complete(client.aclose())
    loop.close()


async def _read(client: httpx.AsyncClient, body: dict[str, Any], push: Callable[[Chunk], None]) -> None:
    """Send the request and push each chunk up to ``[DONE]``.

    Raises ConversationTooLong, or EngineFailed for a refusal, a malformed answer and one that breaks off.
    """
    ended = False
    async with client.stream("POST", "chat/completions", json=body) as response:
        if response.is_error:
            raise _refusal(response.status_code, (await response.aread()).decode(errors="replace"))
        async for line in _lines(response):
            data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
            if data == "[DONE]":
                if not ended:
                    push({"choices": [{"finish_reason": "stop"}]})
                return
            if data:
                chunk = _chunk(data)
                ended = ended or any(choice.get("finish_reason") for choice in chunk.get("choices") or ())
                push(chunk)
    if not ended:
        raise EngineFailed("the model server closed the connection in the middle of the answer. Try again.")


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    # Not httpx's own lines, which also end at U+2028 and others that JSON allows inside a text.
    rest = ""
    async for text in response.aiter_text():
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            yield line
    yield rest


def _chunk(data: str) -> Chunk:
    try:
        chunk = json.loads(data)
    except ValueError as error:
        raise EngineFailed(f"the model server sent {data[:80]!r}, which is not JSON.") from error
    if not isinstance(chunk, dict):
        raise EngineFailed(f"the model server sent {data[:80]!r}; expected a JSON object.")
    if "error" in chunk:
        raise EngineFailed(f"the model server reported an error: {str(chunk['error'])[:200]}")
    return chunk


def _refusal(status: int, body: str) -> InosukeError:
    if status == 400 and any(words in body for words in _TOO_LONG):
        return ConversationTooLong(
            f"the last message does not fit into the model server's context ({body[:200]}). Shorten the message."
        )
    return EngineFailed(f"the model server refused the request ({status}): {body[:200]}")
