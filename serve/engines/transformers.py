"""Base model and adapter in this process, with several answers at the same time: the default with CUDA.

Messages become the training prompt here, and tokens become text; :mod:`serve.engines.transformers_parts.batch`
generates the tokens. transformers' own continuous batching has neither seeds nor penalties per answer, and one answer
that fails ends all the others (docs/experiments/2026-11-25-transformers-continuous-batching.md).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForCausalLM

from curation import chat
from curation.contracts.run import read_metrics
from curation.errors import InosukeError, UsageError, is_out_of_memory
from curation.persona import Persona
from curation.record import Message
from serve.engine import OPTIONAL, Cancelled, Delta, Done, EngineFailed, Event, FinishReason, Reading, Settings
from serve.engines.options import Options
from serve.engines.prompts import Reader, greetings, prove
from serve.engines.tokenizer import ChatTokenizer
from serve.engines.transformers_parts.batch import Batch, Job
from serve.engines.transformers_parts.decoder import Decoder, longest
from serve.engines.transformers_parts.detokenizer import Detokenizer, Piece
from serve.engines.transformers_parts.sampling import Sampler
from serve.engines.transformers_parts.shared_model import SharedModel
from serve.engines.transformers_parts.weights_form import Form, fitting
from serve.engines.window import LARGEST_ON_A_CPU, SMALLEST_DEFAULT, free_memory, window
from serve.model_files.served_run import Run
from serve.speaking.guard import Guard

SLOTS = 8
# Tokens in memory for all answers, in whole context windows. Where more are needed at once, some answers wait.
_POOL_WINDOWS = 4
_SMALLER = (
    "Close other programs that use the memory, or serve a GGUF file: `inosuke gguf {run}`, then "
    "`inosuke serve --engine llamacpp`."
)


class TransformersEngine:
    """One model that makes ``slots`` answers at the same time. Several threads call ``tokenizer`` at once.

    ``turn`` gives the model for a step where it is shared with other characters.
    """

    name = "transformers"
    honours = frozenset(OPTIONAL) - {"logprobs", "json_schema"}

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        persona: Persona,
        prompt: chat.Prompt = "chat",
        label: str = "",
        context: int | None = None,
        slots: int = SLOTS,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.model = label
        self.slots = slots
        self.context: int = context or min(own_window(model.config) or SMALLEST_DEFAULT, SMALLEST_DEFAULT)
        self._tokenizer = tokenizer
        self._reader = Reader(tokenizer, persona, self.context, prompt)
        self.check, self.check_memory, self.count = self._reader.check, self._reader.check_memory, self._reader.count
        self._guard = Guard(persona)
        self._ends = _end_tokens(model, tokenizer, prompt)
        self._decoder = Decoder(model.eval(), slots, pool(self.context, slots), self.context, turn)
        self._batch = Batch(self._decoder)
        # The thread refers to the batch and not to the engine: when the engine is garbage-collected, the thread ends.
        weakref.finalize(self, self._batch.close)

    def stream(self, messages: Sequence[Message], settings: Settings, cancelled: Cancelled) -> Iterator[Event]:
        """See :meth:`serve.engine.Engine.stream`. ``cancelled`` is also called in another thread."""
        try:
            fitted = self._reader.fit(messages, settings, cancelled)
        except chat.Abandoned:
            yield Done("cancelled", 0, 0)
            return
        dropped, ids = fitted.dropped, fitted.rendered.input_ids
        detokenizer = Detokenizer(self._tokenizer.backend_tokenizer, self._ends, settings.stop, self._guard)
        limit = min(settings.max_new_tokens, self.context - len(ids))
        reason: FinishReason = "cancelled"
        made = 0
        job = Job(
            ids=ids,
            limit=limit,
            sampler=Sampler(settings),
            push=detokenizer.push,
            held=detokenizer.held,
            finish=detokenizer.finish,
            cancelled=cancelled,
            reading=lambda done: detokenizer.pieces.put(Reading(done, len(ids))),
            # As with llama.cpp: a seed asks for the same words again, so the prompt is read as a whole.
            exact=settings.seed is not None,
        )
        with self._batch.answering(job):
            while True:
                piece = detokenizer.pieces.get()
                if isinstance(piece, Exception):
                    raise EngineFailed(
                        f"the model failed in the middle of the answer ({type(piece).__name__}). Try again; the log of "
                        "this server has the reason."
                    ) from piece
                if isinstance(piece, Reading):
                    yield piece
                    continue
                if not isinstance(piece, Piece):
                    reason = piece
                    break
                if cancelled():
                    break
                made = piece.made
                if piece.text:
                    yield Delta(piece.text)
        stopped = detokenizer.draft.stopped
        yield Done(reason, len(ids), made, dropped, stopped["avoided"], stopped["loop"])

    def tokens(self, text: str) -> list[int] | None:
        """See :meth:`serve.engine.Engine.tokens`."""
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        return ids


def load(options: Options) -> TransformersEngine:
    """Load the run's base model and adapter, and read the system prompts once."""
    if options.run is None:
        raise UsageError("the engine `transformers` serves a trained run, and none was given. Run `make train` first.")
    run = options.run
    tokenizer = ChatTokenizer(run.folder / "tokenizer")
    prove(run, tokenizer)
    shared = options.one_base
    if shared is None:
        context = _window(run, options.context, options.later)
        model, turn = _load_model(run, pool(context)), nullcontext
    else:
        if shared.loaded is None:
            # Each character has a cache of its own, so the memory is divided as for models of their own.
            context = _window(run, options.context, options.later)
            tokens = pool(context) * len(shared.runs)
            shared.loaded = _load_shared(shared.runs, tokens), context
        (loaded, context), names = shared.loaded, [one.name for one in shared.runs]
        model, turn = loaded.model, loaded.turn(names.index(run.name))
    engine = TransformersEngine(
        model,
        tokenizer,
        run.persona,
        run.prompt,
        f"{run.base_name} + {run.name}",
        context,
        turn=turn,
    )
    # Reads the system prompts into the cache, and shows that the model answers before the server calls itself ready.
    for hello in greetings(run.persona, run.prompt):
        assert isinstance(list(engine.stream(hello, Settings(max_new_tokens=1), lambda: False))[-1], Done)
    return engine


def pool(context: int, slots: int = SLOTS) -> int:
    """Return how many tokens the cache holds for all answers together."""
    return context * min(slots, _POOL_WINDOWS)


def own_window(config: Any) -> int | None:
    """Return how many tokens a model reads, or None where its configuration does not say."""
    known = (getattr(config.get_text_config(), "max_position_embeddings", None), longest(config))
    return min((n for n in known if n), default=None)


def _window(run: Run, asked: int | None, later: int) -> int:
    try:
        config = AutoConfig.from_pretrained(run.base)
    except (OSError, ValueError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InosukeError(f"the configuration of {run.base} cannot be read ({first}). Train again.") from error
    cuda = torch.cuda.is_available()
    text = config.get_text_config()
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    width = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    a_token = 2 * text.num_hidden_layers * heads * width * (2 if cuda else 4)  # bytes: bf16 on a GPU, else fp32
    own = own_window(config)
    free = _beside_the_weights(run) / (later + 1) if cuda else free_memory(later)
    most = (own or SMALLEST_DEFAULT) if cuda else LARGEST_ON_A_CPU
    return window(run.base_name, own, asked, lambda tokens: a_token * pool(tokens), free, most)


def _beside_the_weights(run: Run) -> float:
    """Return how many bytes the GPU has beside the weights in the best form that fits. No window costs that form."""
    form, _ = fitting(run.base, pool(SMALLEST_DEFAULT))
    free: float = torch.cuda.mem_get_info()[0]
    return max(0.0, free - form.bytes) if form else free


def _load_model(run: Run, tokens: int) -> Any:
    with _loading(run):
        base, merge = _load_base(run, tokens)
        model = PeftModel.from_pretrained(base, run.folder / "adapter")
    if merge:
        # One matrix product a layer instead of three. In bf16 the sum would be rounded, so the adapter stays separate.
        model = model.merge_and_unload()
    return model


def _load_shared(runs: Sequence[Run], tokens: int) -> SharedModel:
    with _loading(runs[0]):
        base, _ = _load_base(runs[0], tokens)
        return SharedModel(base, [run.folder / "adapter" for run in runs])


def _load_base(run: Run, tokens: int) -> tuple[Any, bool]:
    """Return a run's base, and whether an adapter may be merged into it."""
    cuda = torch.cuda.is_available()
    # fp32 is the quickest on a CPU without bf16 units, and a large model would need twice the memory.
    small = not isinstance(run.base, Path) or _size(run.base) < 2 * 2**30
    dtype = torch.float32 if small else torch.bfloat16
    options = _on_gpu(run, tokens) if cuda else {"dtype": dtype}
    return AutoModelForCausalLM.from_pretrained(run.base, **options), not cuda and dtype == torch.float32


@contextmanager
def _loading(run: Run) -> Iterator[None]:
    """Say in an error that a run cannot be loaded, and what to do."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise InosukeError(
                f"out of memory while {run.base_name} was loaded. {_SMALLER.format(run=run.name)}"
            ) from error
        seen = " ".join(str(error).split("\n")[:2])  # torch adds a line for every layer
        raise InosukeError(
            f"the run {run.name} cannot be loaded on {run.base}: {seen.rstrip('.')}. "
            "Expected an adapter for this base model. Train again with `make train`, or choose another run with --run."
        ) from error


def _on_gpu(run: Run, tokens: int) -> dict[str, Any]:
    """Return how to load the base on the GPU. Raises InosukeError where it does not fit in any form."""
    form, why = fitting(run.base, tokens)
    if form is None:
        raise InosukeError(f"{run.base_name} does not fit into the GPU: {why}. {_SMALLER.format(run=run.name)}")
    options: dict[str, Any] = {"dtype": form.rest, "device_map": {"": torch.cuda.current_device()}}
    return options | ({"quantization_config": _as_trained(run, form)} if form.nf4 else {})


def _as_trained(run: Run, form: Form) -> Any:
    from transformers import BitsAndBytesConfig

    nf4: Any = BitsAndBytesConfig  # it has no types
    return nf4(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=form.compute,
        bnb_4bit_use_double_quant=bool(read_metrics(run.folder).recipe.get("double_quant", True)),
    )


def _size(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.glob("*.safetensors"))


def _end_tokens(model: Any, tokenizer: Any, prompt: chat.Prompt) -> set[int]:
    """Return the tokens that end a turn: what training put after each reply, and what the base model ends with."""
    own = getattr(model, "generation_config", None)
    eos = own.eos_token_id if own else None
    return {chat.end_of_turn(tokenizer, prompt), *(eos if isinstance(eos, list) else [] if eos is None else [eos])}
