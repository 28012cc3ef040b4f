"""Any OpenAI-compatible server over HTTP: vLLM, llama.cpp, Ollama, a hosted one.

Each request carries the persona's system prompt in the conversation's language. The other server renders the prompt and
counts tokens, and it cannot be asked for another token: a reply ends before a word that the character avoids, and where
it becomes a loop. When it refuses a conversation as too long, the oldest exchanges are left out until it fits.
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

from curation.chat import language_of
from curation.errors import InosukeError, UsageError
from curation.persona import Persona
from curation.record import Message
from serve.engine import (
    MOST_SLOTS,
    Cancelled,
    ConversationTooLong,
    Delta,
    Done,
    EngineFailed,
    Event,
    FinishReason,
    Settings,
)
from serve.engines.chunk_queue import Chunk, received
from serve.engines.options import Options
from serve.speaking.draft import Draft, Rewind
from serve.speaking.guard import Guard

KEY_VARIABLE = "INOSUKE_OPENAI_KEY"
# A large model on a busy server may take a while before its first token; connecting must be quick.
_TIMEOUT = httpx.Timeout(120.0, connect=5.0)
# How servers report that a conversation does not fit: OpenAI's code, llama.cpp's type, vLLM's words.
_TOO_LONG = ("context_length_exceeded", "exceed_context_size", "maximum context length")


class OpenAIEngine:
    """A client for ``POST {url}/chat/completions``. ``slots`` is generous: the server behind it has its own queue."""

    name = "openai"
    context = None
    slots = MOST_SLOTS

    def __init__(self, client: httpx.AsyncClient, model: str, persona: Persona) -> None:
        self.model = model
        self._client = client
        self._persona = persona
        self._guard = Guard(persona)
        # One thread does all the reading, so an answer can be abandoned even while the server is silent.
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=_work, args=(self._loop, client), name="openai", daemon=True).start()
        # The thread refers to the loop and not to the engine: when the engine is garbage-collected, the thread ends.
        weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)

    def stream(self, messages: Sequence[Message], settings: Settings, cancelled: Cancelled) -> Iterator[Event]:
        """See :meth:`serve.engine.Engine.stream`. The API has no repetition penalty, ``top_k`` or ``min_p``."""
        dropped = 0
        while True:
            try:
                yield from self._answer(messages[dropped:], settings, cancelled, dropped)
                return
            except ConversationTooLong:
                starts = [n for n, m in enumerate(messages) if m.role == "user" and n > dropped]
                if not starts:
                    raise
                # A quarter at a time, so that a long conversation is not sent a hundred times.
                dropped = starts[len(starts) // 4]

    def _answer(
        self, messages: Sequence[Message], settings: Settings, cancelled: Cancelled, dropped: int
    ) -> Iterator[Event]:
        reason: FinishReason = "cancelled"
        usage: dict[str, int] = {}
        draft = Draft(self._guard, may_rewind=False)
        then: Rewind | bool = True
        try:
            with closing(self._chunks(self._request(messages, settings), cancelled)) as chunks:
                for chunk in chunks:
                    usage = chunk.get("usage") or usage
                    for choice in chunk.get("choices") or ():
                        if text := (choice.get("delta") or {}).get("content"):
                            shown, then = draft.add(0, text)
                            if shown:
                                yield Delta(shown)
                        if ending := choice.get("finish_reason"):
                            reason = "length" if ending == "length" else "stop"
                    if then is False:
                        break
        except httpx.HTTPError as error:
            raise EngineFailed(f"the model server at {self._client.base_url} does not answer ({error!r}).") from error
        if then is False:
            reason = "stop"
        elif reason != "cancelled" and (rest := draft.end_here()):
            yield Delta(rest)
        made = usage.get("completion_tokens", 0)
        yield Done(
            reason, usage.get("prompt_tokens", 0), made, dropped, draft.stopped["avoided"], draft.stopped["loop"]
        )

    def _request(self, messages: Sequence[Message], settings: Settings) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": self._persona.system_prompt_in(language_of(messages, self._persona))},
                *({"role": m.role, "content": m.content} for m in messages),
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
    model = options.model or _first_model(options.url, headers)
    limits = httpx.Limits(max_connections=OpenAIEngine.slots)
    client = httpx.AsyncClient(base_url=options.url, timeout=_TIMEOUT, headers=headers, limits=limits)
    return OpenAIEngine(client, model, options.persona)


def _first_model(url: str, headers: dict[str, str]) -> str:
    try:
        response = httpx.get(f"{url.rstrip('/')}/models", timeout=_TIMEOUT, headers=headers)
        response.raise_for_status()
        name: str = response.json()["data"][0]["id"]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError) as error:
        raise InosukeError(
            f"{url.rstrip('/')}/models did not list a model ({error!r}). Expected an OpenAI-compatible server. Check "
            f"that the address ends in /v1 and that {KEY_VARIABLE} holds the key; or name a model with --model."
        ) from error
    return name


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
