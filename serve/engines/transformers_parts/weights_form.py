"""Chooses in which form a base model's weights fit into the GPU: whole, or in 4 bits as they were trained.

In: a base, and how many tokens its cache holds. Out: a :class:`Form`. Reads the configuration; loads no weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

NF4_BYTES = 0.53  # a weight in 4 bits, with the scale that 64 of them share
# What a process takes beside weights and cache: libraries' workspaces, an adapter, and what a forward pass computes.
RESERVE = 0.4e9


@dataclass(frozen=True, slots=True)
class Form:
    """How weights are loaded. ``bytes`` is what the engine then takes of the GPU, with the cache and all else.

    ``compute`` is the type of products, ``rest`` that of everything that is not quantised.
    """

    name: str
    nf4: bool
    compute: torch.dtype
    rest: torch.dtype
    bytes: float


def fitting(base: Path | str, tokens: int) -> tuple[Form | None, str]:
    """Return the best form that fits into what the GPU has free, and the reason; None where none does.

    ``tokens`` is how many the cache holds. Raises OSError or ValueError where the configuration cannot be read.
    """
    free, whole = torch.cuda.mem_get_info()
    tried = list(forms(base, tokens))
    room = f"{free / 1e9:.1f} of {whole / 1e9:.1f} GB are free"
    chosen = next((form for form in tried if form.bytes <= free), None)
    needs = ", ".join(f"{form.bytes / 1e9:.1f} GB in {form.name}" for form in tried)
    return chosen, f"the model needs {needs}; {room}"


def forms(base: Path | str, tokens: int) -> Iterator[Form]:
    """Yield the forms that this GPU computes well, the best first.

    bf16 is emulated before Ampere, and some models overflow in fp16. There the weights are whole in fp32, or in 4 bits
    with fp16 for their products alone, as in training.
    """
    linear, others, cache = _sizes(base)
    real_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    rest = torch.bfloat16 if real_bf16 else torch.float32
    besides = cache * tokens * rest.itemsize + RESERVE
    yield Form("bf16" if real_bf16 else "fp32", False, rest, rest, (linear + others) * rest.itemsize + besides)
    if find_spec("bitsandbytes") is not None:
        compute = torch.bfloat16 if real_bf16 else torch.float16
        yield Form("NF4", True, compute, rest, linear * NF4_BYTES + others * rest.itemsize + besides)


def _sizes(base: Path | str) -> tuple[int, int, int]:
    """Return the weights of linear layers, all other weights, and the figures that the cache keeps of a token."""
    from transformers import AutoConfig, AutoModelForCausalLM

    config: Any = AutoConfig.from_pretrained(base)
    with torch.device("meta"):  # shapes without memory
        model: Any = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    head = model.get_output_embeddings()
    linear = sum(m.weight.numel() for m in model.modules() if isinstance(m, torch.nn.Linear) and m is not head)
    text = config.get_text_config()
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    width = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return linear, sum(p.numel() for p in model.parameters()) - linear, 2 * text.num_hidden_layers * heads * width
