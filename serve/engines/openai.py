"""Any OpenAI-compatible server over HTTP: vLLM, llama.cpp, Ollama, a hosted one.

The persona's system prompt is sent along; the other server renders it, counts tokens and refuses what is too long.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from curation.errors import InosukeError, UsageError
from curation.persona import Persona
from curation.record import Message
from serve.engines import Options
from serve.engines.base import Cancelled, Delta, Done, EngineFailed, Event, FinishReason, Settings

KEY_VARIABLE = "INOSUKE_OPENAI_KEY"
# A large model on a busy server may think for a while before its first token; connecting must be quick.
_TIMEOUT = httpx.Timeout(120.0, connect=5.0)


class OpenAIEngine:
    """A client for ``POST {url}/chat/completions``. ``slots`` is generous: the server behind has its own queue."""

    name = "openai"
    context = None
    slots = 32

    def __init__(self, client: httpx.Client, model: str, persona: Persona) -> None:
        self.model = model
        self._client = client
        self._persona = persona

    def stream(self, messages: Sequence[Message], settings: Settings, cancelled: Cancelled) -> Iterator[Event]:
        """See :meth:`serve.engines.base.Engine.stream`. Leaves the repetition penalty out: the API has no such key."""
        body = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": self._persona.system_prompt},
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
        reason: FinishReason = "stop"
        usage: dict[str, int] = {}
        try:
            with self._client.stream("POST", "chat/completions", json=body) as response:
                if response.is_error:
                    raise EngineFailed(_refusal(response))
                for chunk in _chunks(response):
                    if cancelled():
                        reason = "cancelled"
                        break
                    usage = chunk.get("usage") or usage
                    for choice in chunk.get("choices") or ():
                        if text := (choice.get("delta") or {}).get("content"):
                            yield Delta(text)
                        if choice.get("finish_reason") == "length":
                            reason = "length"
        except httpx.HTTPError as error:
            raise EngineFailed(f"the model server at {self._client.base_url} does not answer ({error!r}).") from error
        yield Done(reason, usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0))


def load(options: Options) -> OpenAIEngine:
    """Connect to the server and choose its model. Raises InosukeError when it does not answer."""
    if options.url is None:
        raise UsageError("the engine `openai` needs --url, for example --url http://127.0.0.1:8000/v1")
    key = os.environ.get(KEY_VARIABLE)
    client = httpx.Client(
        base_url=options.url,
        timeout=_TIMEOUT,
        headers={"Authorization": f"Bearer {key}"} if key else {},
        limits=httpx.Limits(max_connections=OpenAIEngine.slots),
    )
    return OpenAIEngine(client, options.model or _first_model(client), options.persona)


def _first_model(client: httpx.Client) -> str:
    try:
        response = client.get("models")
        response.raise_for_status()
        name: str = response.json()["data"][0]["id"]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError) as error:
        raise InosukeError(
            f"{client.base_url}models did not list a model ({error!r}). Expected an OpenAI-compatible server: "
            f"is the address right, does it end in /v1, does it want a key in {KEY_VARIABLE}? Or name one with --model."
        ) from error
    return name


def _chunks(response: httpx.Response) -> Iterator[dict[str, Any]]:
    """Read the ``data:`` lines of an event stream up to ``[DONE]``."""
    for line in response.iter_lines():
        data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        if data == "[DONE]":
            return
        if data:
            try:
                chunk: dict[str, Any] = json.loads(data)
            except ValueError as error:
                raise EngineFailed(f"the model server sent what is not JSON: {data[:80]!r}") from error
            if "error" in chunk:
                raise EngineFailed(f"the model server stopped: {str(chunk['error'])[:200]}")
            yield chunk


def _refusal(response: httpx.Response) -> str:
    return f"the model server refused ({response.status_code}): {response.read().decode(errors='replace')[:200]}"
