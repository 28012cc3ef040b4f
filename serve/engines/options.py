"""Loads an engine by its name, with the options that an engine may need."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from curation.errors import UsageError
from curation.persona import Persona
from serve.engine import Engine
from serve.engines import ENGINES
from serve.model_files.served_run import Run


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What an engine may need. Each engine takes what it uses and reports what is missing."""

    persona: Persona
    run: Run | None = None
    url: str | None = None
    model: str | None = None
    context: int | None = None
    gguf: str | None = None
    later: int = 0
    """How many models are loaded after this one."""


def load_engine(name: str, options: Options) -> Engine:
    """Load an engine; only now are its libraries imported. Raises UsageError for an unknown name."""
    if name not in ENGINES:
        raise UsageError(f"{name!r} is not an engine. Expected one of: {', '.join(ENGINES)}.")
    engine: Engine = import_module(ENGINES[name].module).load(options)
    return engine
