"""The engines by name. A new one is a module with ``load(options) -> Engine`` and a line here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from curation.errors import UsageError
from curation.persona import Persona
from serve.engine import Engine
from serve.model_files.served_run import Run

ENGINES = {
    "llamacpp": "serve.engines.llamacpp",
    "transformers": "serve.engines.transformers",
    "openai": "serve.engines.openai",
}
# Those that serve what was trained here; the others reach a model elsewhere.
RUN_ENGINES = ("llamacpp", "transformers")


@dataclass(frozen=True, slots=True)
class Options:
    """What an engine may need; each takes its part and says what is missing."""

    persona: Persona
    run: Run | None = None
    url: str | None = None
    model: str | None = None
    context: int | None = None
    gguf: str | None = None


def load_engine(name: str, options: Options) -> Engine:
    """Load an engine; only now are its libraries imported. Raises UsageError for an unknown name."""
    if name not in ENGINES:
        raise UsageError(f"no engine is called {name!r}. Expected one of: {', '.join(ENGINES)}.")
    engine: Engine = import_module(ENGINES[name]).load(options)
    return engine
