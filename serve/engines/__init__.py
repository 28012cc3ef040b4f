"""The engines, one row each. A new engine is a module with ``load(options) -> Engine`` and a row in :data:`ENGINES`.

The help text of ``--engine`` and the requirements of a Space follow from the table. This file imports no engine and
none of their libraries, so that ``inosuke serve --help`` stays quick.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """One row of the table."""

    module: str
    """Where ``load`` is."""
    description: str
    """What it runs, for ``--engine``'s help text."""
    serves_run: bool
    """Whether it serves a run that was trained here, rather than a model that it reaches elsewhere."""
    requirements: tuple[str, ...] = ()
    """What a Space installs for it, beside what the server itself needs. An engine without any cannot go to a Space."""


ENGINES = {
    "llamacpp": EngineEntry(
        "serve.engines.llamacpp",
        "a run's GGUF file, with llama.cpp",
        serves_run=True,
        requirements=("tokenizers", "xllamacpp"),
    ),
    "transformers": EngineEntry(
        "serve.engines.transformers",
        "a run's adapter on its base model, with PyTorch",
        serves_run=True,
        requirements=("accelerate", "peft", "safetensors", "torch", "transformers"),
    ),
    "openai": EngineEntry("serve.engines.openai", "any OpenAI-compatible model server, at --url", serves_run=False),
}
