"""The engines, one row each. A new engine is a module with ``load(options) -> Engine`` and a row in :data:`ENGINES`.

In: messages and settings. Out: events. Engines import ``model_files`` and the server's shared modules. The help text of
``--engine`` and the requirements of a Space follow from the table. This file imports no engine and none of their
libraries, so that ``inosuke serve --help`` stays quick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineEntry:
    """One row of the table."""

    module: str
    """Where ``load`` is."""
    description: str
    """What the engine runs, for the help text of ``--engine``."""
    serves: Literal["gguf", "adapter"] | None
    """The part of a trained run that it loads; None for an engine that reaches a model elsewhere."""
    requirements: tuple[str, ...] = ()
    """What a Space installs for it, beside what the server itself needs. A Space cannot run an engine without any."""


ENGINES = {
    "llamacpp": EngineEntry(
        module="serve.engines.llamacpp",
        description="a run's GGUF file, with llama.cpp",
        serves="gguf",
        requirements=("tokenizers", "xllamacpp"),
    ),
    "transformers": EngineEntry(
        module="serve.engines.transformers",
        description="a run's adapter on its base model, with PyTorch",
        serves="adapter",
        requirements=("accelerate", "peft", "safetensors", "torch", "transformers"),
    ),
    "openai": EngineEntry(
        module="serve.engines.openai",
        description="a model server that speaks OpenAI's API, at --url",
        serves=None,
    ),
}
RUN_ENGINES = tuple(name for name, entry in ENGINES.items() if entry.serves)
