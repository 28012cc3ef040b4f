"""llama.cpp inside this process (xllamacpp) over a run's GGUF: the default on a CPU.

Messages become the training prompt here. llama.cpp gets token ids, never text, so a typed control token stays text and
the ids are those of training. Slots, continuous batching and the prefix cache are llama.cpp's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from curation import chat, repeats
from curation.errors import InosukeError, UsageError
from curation.persona import Persona
from curation.record import Message
from serve.engine import OPTIONAL, Cancelled, Delta, Done, EngineFailed, Event, FinishReason, Likely, Reading, Settings
from serve.engines.chunk_queue import Chunk, likely, received
from serve.engines.llamacpp_server import SLOTS, Started, pool, start
from serve.engines.options import OneBase, Options
from serve.engines.prompts import Reader, greetings, prove
from serve.engines.token_budget import TokenBudget
from serve.engines.tokenizer import ChatTokenizer
from serve.engines.window import LARGEST_ON_A_CPU, SMALLEST_DEFAULT, free_memory, window
from serve.model_files.adapter_choice import AdapterFiles, check_base, find
from serve.model_files.gguf_choice import choose
from serve.model_files.gguf_header import read_header
from serve.model_files.served_run import Run
from serve.speaking.draft import Draft, Rewind
from serve.speaking.guard import Guard

# How many tokens in a row must be the same to be moved in the cache. What is moved was read after the turns that were
# left out and still knows them. So the number is high enough for only the same conversation to have such a run.
_SHIFTED = 256
# A sequence that comes again is held back across everything, as `curation.repeats` does. llama.cpp wants at least one
# text that ends sequences, and for each it goes through the vocabulary once a request (12 ms with 52,000 tokens), while
# all other answers stand still. Its own four took 50 ms. This character is in no reply: `only_text` removes it.
_NO_BREAKER = "\x01"


@dataclass(slots=True)
class _Reply:
    """A reply that is being made: its draft, the ids of each piece of text, their number, and the one to report."""

    draft: Draft
    pieces: list[list[int]] = field(default_factory=list)
    likely: list[tuple[Likely, ...]] = field(default_factory=list)
    length: int = 0
    made: int = 0
    told: int = 0

    def kept(self) -> list[int]:
        return [token for piece in self.pieces for token in piece]

    def add(self, ids: list[int], tokens: tuple[Likely, ...]) -> None:
        """Add a piece of text."""
        self.pieces.append(ids)
        self.likely.append(tokens)
        self.length += len(ids)
        self.made = self.length

    def cut(self, pieces: int) -> None:
        """Keep that many pieces."""
        self.length -= sum(map(len, self.pieces[pieces:]))
        del self.pieces[pieces:], self.likely[pieces:]

    def shown(self) -> tuple[Likely, ...]:
        """Return the likely tokens of the pieces that are shown now and were not before."""
        begin, self.told = self.told, max(self.told, len(self.draft.tokens) - self.draft.held)
        return tuple(token for tokens in self.likely[begin : self.told] for token in tokens)


@dataclass(frozen=True, slots=True)
class _OverBase:
    """An adapter of a server by its number, and the memory that all adapters of that server share."""

    adapter: int
    budget: TokenBudget
    alone_budget: TokenBudget


class LlamaCppEngine:
    """One model that makes ``slots`` answers at the same time. ``server`` is an ``xllamacpp.Server``.

    ``alone`` starts another one with a single slot, for answers with a seed. What is decoded together is summed in
    another order, and so is what lies elsewhere in a shared cache: enough to draw other words. So such an answer gets a
    cache of its own and is made by itself. It is started by the first one, since most servers never see a seed.

    ``over`` tells which of the server's adapters speaks, where several characters share the server.
    """

    name = "llamacpp"
    honours = frozenset(OPTIONAL)

    def __init__(
        self,
        server: Any,
        tokenizer: Any,
        persona: Persona,
        prompt: chat.Prompt = "chat",
        label: str = "",
        context: int = SMALLEST_DEFAULT,
        slots: int = SLOTS,
        alone: Callable[[], Any] | None = None,
        over: _OverBase | None = None,
    ) -> None:
        self.model = label
        self.context: int = context
        self.slots = slots
        self._server = server
        self._alone = Started(alone) if alone else None
        self._reader = Reader(tokenizer, persona, context, prompt)
        self.check, self.check_memory, self.count = self._reader.check, self._reader.check_memory, self._reader.count
        self._guard = Guard(persona)
        self._adapter = over.adapter if over else None
        self._budget = over.budget if over else TokenBudget(pool(context, slots))
        self._alone_budget = over.alone_budget if over else TokenBudget(context)

    def stream(self, messages: Sequence[Message], settings: Settings, cancelled: Cancelled) -> Iterator[Event]:
        """See :meth:`serve.engine.Engine.stream`."""
        try:
            fitted = self._reader.fit(messages, settings, cancelled)
        except chat.Abandoned:
            yield Done("cancelled", 0, 0)
            return
        dropped, ids = fitted.dropped, fitted.rendered.input_ids
        limit = min(settings.max_new_tokens, self.context - len(ids))
        seeded = settings.seed is not None and self._alone is not None
        # All of the one window, so that answers with a seed come one after another.
        budget, tokens = (self._alone_budget, self.context) if seeded else (self._budget, len(ids) + limit)
        with budget.reserve(tokens, cancelled) as reserved:
            if not reserved:
                yield Done("cancelled", len(ids), 0, dropped)
                return
            # A reply of a given form is data, and its grammar could not go on in the middle.
            guard = self._guard if settings.json_schema is None else Guard(None)
            reply = _Reply(Draft(guard))
            reason = yield from self._reply(ids, limit, settings, reply, cancelled, shifted=bool(dropped))
            stopped = reply.draft.stopped
            yield Done(reason, len(ids), reply.made, dropped, stopped["avoided"], stopped["loop"])

    def _reply(
        self,
        ids: list[int],
        limit: int,
        settings: Settings,
        reply: _Reply,
        cancelled: Cancelled,
        shifted: bool,
    ) -> Generator[Event, None, FinishReason]:
        """Yield a reply. Where it has to say something differently, a new request goes on from what stands.

        A request bans a token at every place, so the one with bans makes a single piece, and the next goes on from it.
        """
        rewind: Rewind | None = None
        for number in count():
            kept = reply.kept()
            if len(kept) >= limit:
                if rest := reply.draft.end_here():
                    yield Delta(rest, reply.shown())
                return "length"
            body = request([*ids, *kept], limit - len(kept), settings, shifted, self._adapter)
            body["verbose"] = True  # which tokens they are
            if number and settings.seed is not None:
                body["seed"] = (settings.seed + number) % (2**32 - 1)  # the same one would draw the same words again
            if rewind:
                body["logit_bias"] = [*body.get("logit_bias", ()), *([token, False] for token in sorted(rewind.banned))]
            outcome = yield from self._part(body, reply, settings.logprobs, cancelled, one_piece=rewind is not None)
            if isinstance(outcome, str):
                return outcome
            rewind = outcome
            if rewind:
                reply.cut(rewind.kept)
        raise AssertionError("a reply ends")

    def _part(
        self, body: dict[str, Any], reply: _Reply, logprobs: int | None, cancelled: Cancelled, one_piece: bool
    ) -> Generator[Event, None, FinishReason | Rewind | None]:
        """Yield what one request adds to a reply. Returns how the reply ends, or how another goes on."""
        before = reply.length
        with closing(self._chunks(body, cancelled)) as chunks:
            for chunk in chunks:
                if "error" in chunk:
                    message = chunk["error"].get("message", chunk["error"])
                    raise EngineFailed(f"llama.cpp refused the request: {str(message)[:200]}")
                if progress := chunk.get("prompt_progress"):
                    if not before and progress["processed"] < progress["total"]:
                        yield Reading(progress["processed"], progress["total"])
                    continue
                choice = chunk["choices"][0]
                ending = choice["finish_reason"]
                then: Rewind | bool = True
                if choice["text"]:
                    reply.add(self._ids(choice["text"], chunk), likely(choice.get("logprobs"), logprobs))
                    shown, then = reply.draft.add(reply.pieces[-1][0], choice["text"])
                    if shown:
                        yield Delta(shown, reply.shown())
                if ending and then is True:
                    reply.made = before + chunk["usage"]["completion_tokens"]
                    shown, then = reply.draft.end() if ending == "stop" else (reply.draft.end_here(), False)
                    if shown:
                        yield Delta(shown, reply.shown())
                if isinstance(then, Rewind):
                    return then
                if then is False:
                    return "length" if ending == "length" else "stop"
                if one_piece and choice["text"]:
                    return None
        return "cancelled"

    def _ids(self, text: str, chunk: Chunk) -> list[int]:
        """Return the ids of a piece of text. llama.cpp tells the last one; a letter may be made of several."""
        *_, last = chunk.get("__verbose", {}).get("tokens") or [None]
        tokenizer = self._reader.tokenizer.backend_tokenizer
        if last is not None and tokenizer.decode([last], skip_special_tokens=False) == text:
            return [last]
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return ids or [0 if last is None else last]

    def tokens(self, text: str) -> list[int] | None:
        """See :meth:`serve.engine.Engine.tokens`."""
        ids: list[int] = self._reader.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        return ids

    def stops_at(self, token: int, ids: list[int]) -> bool:
        """Return whether an answer to this prompt is over when the model says this token."""
        said = request(ids, 2, Settings(temperature=0, max_new_tokens=2), adapter=self._adapter)
        said["logit_bias"] = [[token, 1000.0]]
        with closing(self._chunks(said, lambda: False)) as chunks:
            endings = [choice["finish_reason"] for chunk in chunks for choice in chunk.get("choices", ())]
        return "stop" in endings

    def _chunks(self, body: dict[str, Any], cancelled: Cancelled) -> Generator[Chunk]:
        """Run one completion in a thread of its own and yield its chunks; ends early when the client has gone.

        llama.cpp calls back once a token, and stops when the call returns True. Its own call blocks, and this generator
        may be closed at any time, so the two run apart. The slot is free again when this returns.
        """
        chunks: SimpleQueue[Chunk | None] = SimpleQueue()
        stop = threading.Event()
        failed: list[BaseException] = []
        server = self._alone.server() if self._alone is not None and "seed" in body else self._server

        def on_chunk(chunk: Chunk) -> bool:
            chunks.put(chunk)
            return stop.is_set()

        def work() -> None:
            try:
                server.handle_completions(body, on_chunk)
            except BaseException as error:
                failed.append(error)
            finally:
                chunks.put(None)

        thread = threading.Thread(target=work, name="llamacpp", daemon=True)
        thread.start()
        try:
            complete = yield from received(chunks, cancelled)
        finally:
            stop.set()
            thread.join()
        if complete and failed:
            raise failed[0]


def load(options: Options) -> LlamaCppEngine:
    """Load the run's GGUF and read the system prompts once.

    Raises InosukeError for a damaged file, and for one that does not end a turn where training ended it.
    """
    if options.run is None:
        raise UsageError("the engine `llamacpp` serves a trained run, and none was given. Run `make train` first.")
    run = options.run
    shared = options.one_base
    tokenizer = ChatTokenizer(run.folder / "tokenizer")
    if shared is None:
        gguf = choose(run.folder, options.gguf)
        path, kind = gguf.path, gguf.type
        context = _window(path, run.base_name, options.context, options.later)
        label = f"{run.base_name} + {run.name} ({kind})"
    else:
        files = _files(run)
        path, label = files.base, f"{run.base_name} ({files.type}) + {run.name}"
        if shared.loaded is None:
            check_base(files)
            # One cache for all of them, so the others need no share of the memory.
            later = options.later - len(shared.runs) + 1
            context = _window(path, run.base_name, options.context, later)
        else:
            context = shared.loaded.context
    prove(run, tokenizer)
    hellos, settings = greetings(run.persona, run.prompt), Settings(max_new_tokens=1)
    # Everything that can fail comes before llama.cpp starts: an xllamacpp.Server that is dropped as soon as it is made
    # waits for its own threads forever.
    reader = Reader(tokenizer, run.persona, context, run.prompt)
    prompts = [reader.fit(hello, settings, lambda: False).rendered.input_ids for hello in hellos]
    if shared is None:
        engine = LlamaCppEngine(
            start(path, context), tokenizer, run.persona, run.prompt, label, context,
            alone=lambda: start(path, context, slots=1),
        )  # fmt: skip
    else:
        if shared.loaded is None:
            shared.loaded = _Loaded(shared, path, context)
        base = shared.loaded
        engine = LlamaCppEngine(
            base.server, tokenizer, run.persona, run.prompt, label, context,
            alone=base.alone.server, over=base.over(run),
        )  # fmt: skip
    # Reads the system prompts into the cache, and shows that the model answers before the server calls itself ready.
    end = chat.end_of_turn(tokenizer, run.prompt)
    for ids in prompts:
        if not engine.stops_at(end, ids):
            raise InosukeError(
                f"{path}: the model does not end its turn at token {end}, which its training put after each "
                "reply, so it would never stop. Run `inosuke gguf` again."
            )
    return engine


class _Loaded:
    """What the characters of one base share: the server and its cache, and the one for answers with a seed."""

    def __init__(self, shared: OneBase, base: Path, context: int) -> None:
        self.context = context
        self._runs = [run.folder for run in shared.runs]
        adapters = [_files(run).adapter for run in shared.runs]
        # Each character has as many slots as if it were alone; llama.cpp allows 256 in all.
        slots = min(SLOTS * len(adapters), 256)
        self._budgets = TokenBudget(pool(context)), TokenBudget(context)
        self.server = start(base, context, slots, adapters)
        self.alone = Started(lambda: start(base, context, 1, adapters))

    def over(self, run: Run) -> _OverBase:
        """Return the number of a run's adapter, with the memory of all of them."""
        return _OverBase(self._runs.index(run.folder), *self._budgets)


def _files(run: Run) -> AdapterFiles:
    files = find(run.folder)
    if isinstance(files, str):
        raise InosukeError(f"{files}. Then serve the runs together again.")
    return files


def _window(path: Path, named: str, asked: int | None, later: int) -> int:
    header = read_header(path)
    return window(
        named,
        header.context,
        asked,
        lambda tokens: header.cache_bytes * pool(tokens),
        free_memory(later),
        LARGEST_ON_A_CPU,
    )


def request(
    ids: list[int], limit: int, settings: Settings, shifted: bool = False, adapter: int | None = None
) -> dict[str, Any]:
    """Return the request for llama.cpp. It names every option for which llama.cpp has another default.

    ``shifted`` tells that turns were left out of the middle. llama.cpp then moves what it has cached of the turns after
    those (it turns the keys to their new places) instead of reading them again. ``adapter`` is the number of the one
    that speaks, on a server that several share; such slots are never decoded together, nor do they share a cache.

    Its penalties cover the end of the prompt too: the last 64 tokens, and as many for repeated sequences as
    :data:`curation.repeats.RANGE`. The transformers engine leaves the prompt out, which llama.cpp cannot do.
    """
    body: dict[str, Any] = {
        "prompt": ids,
        "stream": True,
        "return_progress": True,  # chunks while a long prompt is read, so that it can be cancelled
        "stream_options": {"include_usage": True},
        # A prompt that is read in other pieces gives scores that differ in their last bits, enough to draw other words.
        # A seed asks for the same words again, so its prompt is read as a whole.
        "cache_prompt": settings.seed is None,
        "n_cache_reuse": _SHIFTED if shifted and settings.seed is None else 0,
        "max_tokens": limit,
        "samplers": ["penalties", "dry", "temperature", "top_k", "top_p", "min_p"],
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "top_k": settings.top_k,
        "min_p": settings.min_p,
        "repeat_penalty": settings.repetition_penalty,
        "repeat_last_n": 64,
        "frequency_penalty": settings.frequency_penalty,
        "presence_penalty": settings.presence_penalty,
        "dry_multiplier": settings.dry_multiplier,
        "dry_base": repeats.BASE,
        "dry_allowed_length": repeats.ALLOWED,
        "dry_penalty_last_n": repeats.RANGE,
        "dry_sequence_breakers": [_NO_BREAKER],
    }
    if adapter is not None:
        body["lora"] = [{"id": adapter, "scale": 1.0}]
    if settings.typical_p < 1:
        body |= {"typical_p": settings.typical_p, "samplers": [*body["samplers"], "typ_p"]}
    if settings.logit_bias:
        body["logit_bias"] = [[token, bias] for token, bias in settings.logit_bias.items()]
    if settings.logprobs is not None:
        body["logprobs"] = max(settings.logprobs, 1)
    if settings.json_schema is not None:
        body["json_schema"] = settings.json_schema
    if settings.stop:
        body["stop"] = list(settings.stop)
    if settings.seed is not None:
        body["seed"] = settings.seed % (2**32 - 1)  # the last 32-bit number means "a random one" there
    return body
