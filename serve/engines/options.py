"""Loads an engine by its name, with the options that an engine may need."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from curation.errors import UsageError
from curation.persona import Persona
from serve.engine import Engine
from serve.engines import ENGINES
from serve.model_files.served_run import Run


@dataclass(eq=False, slots=True)
class OneBase:
    """A base that several runs share. The engine of the first one loads it, those of the others find it here.

    ``loaded`` belongs to the engines' module alone.
    """

    runs: tuple[Run, ...]
    loaded: Any = field(default=None, repr=False)


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
    one_base: OneBase | None = None
    """What the run shares with others; None where it has a model of its own."""


def load_engine(name: str, options: Options) -> Engine:
    """Load an engine; only now are its libraries imported. Raises UsageError for an unknown name."""
    if name not in ENGINES:
        raise UsageError(f"{name!r} is not an engine. Expected one of: {', '.join(ENGINES)}.")
    engine: Engine = import_module(ENGINES[name].module).load(options)
    return engine
