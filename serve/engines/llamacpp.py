"""llama.cpp inside this process (xllamacpp) over a run's GGUF: the default on a CPU.

Messages become the training prompt here, and llama.cpp gets token ids, never text: what somebody types cannot become a
control token, and the ids are those of training. Slots, continuous batching and the prefix cache are llama.cpp's.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from curation import chat
from curation.errors import InosukeError, UsageError
from curation.persona import Persona
from curation.record import Message
from serve.engine import Cancelled, Delta, Done, EngineFailed, Event, FinishReason, Settings
from serve.engines import Options, native_libraries
from serve.engines.prompts import fit
from serve.engines.token_budget import Room
from serve.engines.tokenizer import ChatTokenizer
from serve.model_files.gguf_choice import choose

DEFAULT_CONTEXT = 2048
SLOTS = 8
# Cells of the key/value cache that all slots share: four whole windows, 190 MB for SmolLM2-135M. Eight whole windows
# would double that for a case that is rare; `Room` makes answers wait where it happens.
_POOL_WINDOWS = 4
# Caches of conversations whose slot somebody else got, so that going on with one does not read it all again.
_KEPT_MIB = 64
_POLL_SECONDS = 0.1


class LlamaCppEngine:
    """One model that answers ``slots`` people at a time. ``server`` is an ``xllamacpp.Server``."""

    name = "llamacpp"

    def __init__(
        self,
        server: Any,
        tokenizer: Any,
        persona: Persona,
        prompt: chat.Prompt = "chat",
        label: str = "",
        context: int = DEFAULT_CONTEXT,
        slots: int = SLOTS,
    ) -> None:
        self.model = label
        self.context: int = context
        self.slots = slots
        self._server = server
        self._tokenizer = tokenizer
        self._persona = persona
        self._prompt = prompt
        self._room = Room(pool(context, slots))

    def stream(self, messages: Sequence[Message], settings: Settings, cancelled: Cancelled) -> Iterator[Event]:
        """See :meth:`serve.engine.Engine.stream`."""
        dropped, ids = fit(messages, settings, self._tokenizer, self._persona, self.context, self._prompt)
        limit = min(settings.max_new_tokens, self.context - len(ids))
        with self._room.take(len(ids) + limit, cancelled) as got:
            if not got:
                yield Done("cancelled", len(ids), 0, dropped)
                return
            reason: FinishReason = "cancelled"
            made = 0
            with closing(self._chunks(request(ids, limit, settings), cancelled)) as chunks:
                for chunk in chunks:
                    if "prompt_progress" in chunk:
                        continue
                    choice = chunk["choices"][0]
                    made += 1
                    if choice["text"]:
                        yield Delta(choice["text"])
                    if choice["finish_reason"]:
                        reason = "length" if choice["finish_reason"] == "length" else "stop"
                        made = chunk["usage"]["completion_tokens"]
            yield Done(reason, len(ids), made, dropped)

    def _chunks(self, body: dict[str, Any], cancelled: Cancelled) -> Generator[dict[str, Any]]:
        """Run one completion in a thread of its own and pass on its chunks; ends early when the client has gone.

        llama.cpp calls back once a token, and stops when the call gives True. Its own call blocks, and this iterator
        may be closed at any time, so the two are apart; the slot is free again when this returns.
        """
        chunks: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        stop = threading.Event()
        failed: list[BaseException] = []

        def heard(chunk: dict[str, Any]) -> bool:
            chunks.put(chunk)
            return stop.is_set()

        def work() -> None:
            try:
                self._server.handle_completions(body, heard)
            except BaseException as error:
                failed.append(error)
            finally:
                chunks.put(None)

        thread = threading.Thread(target=work, name="llamacpp", daemon=True)
        thread.start()
        try:
            while True:
                try:
                    chunk = chunks.get(timeout=_POLL_SECONDS)
                except Empty:
                    if cancelled():
                        return
                    continue
                if chunk is None:
                    break
                if "error" in chunk:
                    raise EngineFailed(f"llama.cpp refused: {str(chunk['error'].get('message', chunk['error']))[:200]}")
                yield chunk
                if cancelled():
                    return
        finally:
            stop.set()
            thread.join()
        if failed:
            raise failed[0]


def load(options: Options) -> LlamaCppEngine:
    """Load the run's GGUF and let it read its system prompt once. Raises InosukeError for a damaged file."""
    if options.run is None:
        raise UsageError("the engine `llamacpp` serves a trained run, and none was given. Run `make train` first.")
    run = options.run
    gguf = choose(run.folder, options.gguf)
    context = options.context or DEFAULT_CONTEXT
    tokenizer = ChatTokenizer(run.folder / "tokenizer")
    hello, settings = [Message("user", "!")], Settings(max_new_tokens=1)
    # Whatever can fail does so before llama.cpp starts: an xllamacpp.Server that is dropped as soon as it is made waits
    # for its own threads for ever.
    fit(hello, settings, tokenizer, run.persona, context, run.prompt)
    engine = LlamaCppEngine(
        start(gguf.path, context),
        tokenizer,
        run.persona,
        run.prompt,
        f"{run.base_name} + {run.name} ({gguf.type})",
        context,
    )
    # Reads the system prompt into the cache and proves that the model answers before anybody is told that it does.
    if not isinstance(list(engine.stream(hello, settings, lambda: False))[-1], Done):
        raise InosukeError(f"{gguf.path}: the model does not answer. Run `inosuke gguf` again.")
    return engine


def start(path: Path, context: int, slots: int = SLOTS) -> Any:
    """Return an ``xllamacpp.Server`` over a GGUF file."""
    xllamacpp = native_libraries.xllamacpp()
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel = slots
    params.kv_unified = True
    params.n_ctx = pool(context, slots)
    params.n_batch = params.n_ubatch = 512
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = cores()
    params.fit_params = False
    params.cache_ram_mib = _KEPT_MIB
    params.verbosity = -1
    # It opens a port on this machine, too, which nobody needs: nothing answers there without this run's key.
    params.api_keys = [secrets.token_urlsafe(32)]
    params.ui = params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    params.cors_origins = "http://127.0.0.1"
    params.n_threads_http = 1
    try:
        return xllamacpp.Server(params)
    except RuntimeError:
        raise InosukeError(
            f"{path} cannot be loaded by llama.cpp: it is damaged, too large for the memory, or of an architecture "
            "that is not known there. Run `inosuke gguf` again, or serve the adapter with --engine transformers."
        ) from None


def pool(context: int, slots: int) -> int:
    """Return how many tokens all slots together may hold."""
    return context * min(slots, _POOL_WINDOWS)


def cores() -> int:
    """Return how many cores this process may use: a container's share counts, not its host's cores."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = Path("/sys/fs/cgroup/cpu.max")
    if quota.is_file():
        share, period = quota.read_text(encoding="ascii").split()
        if share != "max":
            allowed = min(allowed, max(1, round(int(share) / int(period))))
    return allowed


def request(ids: list[int], limit: int, settings: Settings) -> dict[str, Any]:
    """Return the request for llama.cpp, with everything said that it would otherwise choose itself.

    Its penalty counts the last 64 tokens, the end of the prompt among them; transformers' engine leaves the prompt
    out, which llama.cpp cannot.
    """
    body: dict[str, Any] = {
        "prompt": ids,
        "stream": True,
        "return_progress": True,  # a word now and then while a long prompt is read, so that it can be cancelled
        "stream_options": {"include_usage": True},
        # A prompt that is read in other pieces gives scores that differ in their last bits, enough to draw other words.
        # Who gives a seed wants the same words again, and waits for the prompt to be read again.
        "cache_prompt": settings.seed is None,
        "max_tokens": limit,
        "samplers": ["penalties", "temperature", "top_p"],
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "repeat_penalty": settings.repetition_penalty,
        "repeat_last_n": 64,
    }
    if settings.stop:
        body["stop"] = list(settings.stop)
    if settings.seed is not None:
        body["seed"] = settings.seed % (2**32 - 1)  # the last 32-bit number means "a random one" there
    return body
