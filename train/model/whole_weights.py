"""How a base is loaded to be measured: as it is served. Knows nothing of runs."""

from __future__ import annotations

from typing import Any

import torch

from train.model.base_model import BaseModel
from train.model.load import device, load_config
from train.recipe import Recipe

ROOM = 1.5e9  # bytes that scoring and answering take beside the weights: context, logits, the cache of eight prompts


def as_served(base: BaseModel, recipe: Recipe) -> Recipe:
    """Return the recipe with an unquantised base; with NF4 only where a GPU has no room for 16 bits.

    NF4 damages a small base far more than the adapter that was trained on it, so the gain of an adapter would look too
    large, and no visitor chats with those weights.
    """
    if recipe.quantization == "none" or (device().kind == "cuda" and not _fits(base)):
        return recipe
    return recipe.model_copy(update={"quantization": "none"})


def describe(recipe: Recipe) -> str:
    """Return what a report calls the weights of a (resolved) recipe."""
    if recipe.quantization == "nf4":
        return "NF4 weights, because 16 bits do not fit into the GPU's memory"
    return f"unquantised weights ({recipe.precision})"


def _fits(base: BaseModel) -> bool:
    """Return whether 16 bits fit in place of what this process holds now."""
    return parameters(load_config(base)) * 2 + ROOM <= torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved()


def parameters(config: Any) -> int:
    """Return the number of weights of a model of this configuration; nothing is allocated."""
    from transformers import AutoModelForCausalLM

    auto: Any = AutoModelForCausalLM  # it has no types
    with torch.device("meta"):
        model = auto.from_config(config)
    return sum(p.numel() for p in model.parameters())
