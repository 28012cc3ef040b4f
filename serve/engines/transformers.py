"""Base model and adapter in this process: messages become the training prompt, tokens become text.

The loop pulls one token at a time instead of calling ``generate`` in a thread: closing the iterator is all it takes
to stop, each answer has its own random numbers, and the cache outlives an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from tokenizers.decoders import DecodeStream
from transformers import AutoModelForCausalLM, AutoTokenizer

from curation import chat
from curation.errors import InosukeError, UsageError
from curation.persona import Persona
from curation.record import Message
from serve.engines import Options
from serve.engines.base import Cancelled, Delta, Done, Event, FinishReason, Settings
from serve.engines.decoder import Decoder
from serve.engines.prompts import fit
from serve.engines.sampling import Sampler
from serve.engines.stops import Stops
from serve.runs import Run

# More would fit into most models, but on a CPU a prompt of this length already takes seconds.
DEFAULT_CONTEXT = 2048


class TransformersEngine:
    """One model that answers one person at a time."""

    name = "transformers"
    slots = 1

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        persona: Persona,
        prompt: chat.Prompt = "chat",
        label: str = "",
        context: int | None = None,
    ) -> None:
        self.model = label
        window = getattr(model.config, "max_position_embeddings", None) or DEFAULT_CONTEXT
        self.context: int = min(window, context or DEFAULT_CONTEXT)
        self._tokenizer = tokenizer
        self._persona = persona
        self._prompt = prompt
        self._decoder = Decoder(model.eval())
        self._ends = _end_tokens(model, tokenizer, persona, prompt)

    def stream(self, messages: Sequence[Message], settings: Settings, cancelled: Cancelled) -> Iterator[Event]:
        """See :meth:`serve.engines.base.Engine.stream`."""
        dropped, ids = fit(messages, settings, self._tokenizer, self._persona, self.context, self._prompt)
        decoder, sampler, text = self._decoder, Sampler(settings), DecodeStream(skip_special_tokens=True)
        stops = Stops(settings.stop)
        reply: list[int] = []
        reason: FinishReason = "length"
        scores = decoder.read(ids, cancelled)
        while True:
            if scores is None or cancelled():
                reason = "cancelled"
                break
            token = sampler.draw(scores, reply)
            if token in self._ends:
                reason = "stop"
                break
            reply.append(token)
            # None while a letter of several bytes is still incomplete.
            piece = text.step(self._tokenizer.backend_tokenizer, token)
            if piece and (shown := stops.feed(piece)):
                yield Delta(shown)
            if stops.hit:
                reason = "stop"
                break
            if len(reply) == settings.max_new_tokens:
                break
            scores = decoder.step(token)
        if rest := stops.rest():
            yield Delta(rest)
        yield Done(reason, len(ids), len(reply), dropped)


def load(options: Options) -> TransformersEngine:
    """Load the run's base model and adapter, and let it read its system prompt once."""
    if options.run is None:
        raise UsageError("the engine `transformers` serves a trained run, and none was given. Run `make train` first.")
    run = options.run
    tokenizer = AutoTokenizer.from_pretrained(run.folder / "tokenizer", local_files_only=True)
    engine = TransformersEngine(
        _load_model(run), tokenizer, run.persona, run.prompt, f"{run.base_name} + {run.name}", options.context
    )
    # Reads the system prompt into the cache and proves that the model answers before anybody is told that it does.
    hello = engine.stream([Message("user", "!")], Settings(max_new_tokens=1), lambda: False)
    assert isinstance(list(hello)[-1], Done)
    return engine


def _load_model(run: Run) -> Any:
    cuda = torch.cuda.is_available()
    # fp32 is the quickest on a CPU without bf16 units, and a large model would need twice the memory.
    small = not isinstance(run.base, Path) or _size(run.base) < 2 * 2**30
    dtype = torch.bfloat16 if cuda or not small else torch.float32
    try:
        base = AutoModelForCausalLM.from_pretrained(run.base, dtype=dtype)
        model = PeftModel.from_pretrained(base, run.folder / "adapter")
    except (OSError, ValueError, RuntimeError) as error:
        seen = " ".join(str(error).split("\n")[:2])  # torch goes on with a line for every layer
        raise InosukeError(
            f"the run {run.name} cannot be loaded on {run.base}: {seen.rstrip('.')}. "
            "Expected an adapter for this base model. Train again with `make train`, or choose another run with --run."
        ) from error
    if dtype == torch.float32:
        # One matrix product a layer instead of three. In bf16 the sum would be rounded, so it stays apart there.
        model = model.merge_and_unload()
    return model.to("cuda") if cuda else model


def _size(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.glob("*.safetensors"))


def _end_tokens(model: Any, tokenizer: Any, persona: Persona, prompt: chat.Prompt) -> set[int]:
    """Return the tokens that end a turn: what training put after each reply, and what the base model ends with."""
    rendered = chat.render([Message("user", "a"), Message("assistant", "b")], tokenizer, persona, prompt)
    ends = {i for i, mask in zip(rendered.input_ids, rendered.loss_mask, strict=True) if mask}
    ends &= set(tokenizer.all_special_ids)
    own = getattr(model, "generation_config", None)
    eos = own.eos_token_id if own else None
    return ends | set(eos if isinstance(eos, list) else [] if eos is None else [eos])
