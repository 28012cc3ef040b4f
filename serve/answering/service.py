"""What an application serves: chooses the run and the engine, and says why."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app

from curation.errors import UsageError
from curation.persona import Persona, load_persona
from serve.answering.engine_choice import engine_for
from serve.answering.metrics import Metrics
from serve.answering.waiting_line import Line
from serve.engine import Engine
from serve.engines import RUN_ENGINES, Options, load_engine, native_libraries
from serve.feedback.inbox import Box
from serve.guard.keys_and_rates import Keys, read_keys
from serve.model_files.served_run import Run, choose, find_run


@dataclass(frozen=True, slots=True)
class Service:
    """What the routes answer with; one an application."""

    engine: Engine
    persona: Persona
    run: Run | None
    line: Line
    metrics: Metrics
    feedback: Box | None
    """Where feedback goes, if this server keeps any."""
    feedback_keys: Keys
    """Who may fetch it."""
    since: int
    """When it started, in seconds since 1970."""
    chosen: tuple[str, ...]
    """What was chosen and why, one sentence each."""


def service() -> Service:
    """Return the service of the application that answers the current request."""
    found: Service = current_app.extensions["inosuke"]
    return found


def start(config: Mapping[str, Any]) -> Service:
    """Load what ``config`` asks for; its keys are listed in :mod:`serve.http.app`. Raises InosukeError if it cannot."""
    native_libraries.let_threads_sleep()  # here: torch is asked for CUDA before an engine is chosen
    engine, chosen = config["ENGINE"], []
    root = Path(config["ROOT"])
    run: Run | None = None
    if engine is None:
        engine, why = ("openai", "a --url was given") if config["URL"] else engine_for(_folder(root, config["RUN"]))
        chosen.append(f"engine {engine}: {why}")
    if engine in RUN_ENGINES:
        run = find_run(root, config["RUN"], weights=engine == "transformers")
        chosen.append(f"run {run.name}: {run.why}")
        chosen.append(f"base model {run.base_name}: {run.base}")
    elif config["RUN"]:
        raise UsageError(
            f"a run was named ({config['RUN']}), which only the engines {' and '.join(RUN_ENGINES)} serve."
        )
    persona = run.persona if run else _persona(config["PERSONA"])
    if isinstance(engine, str):
        options = Options(persona, run, config["URL"], config["MODEL"], config["CONTEXT"], config["GGUF"])
        engine = load_engine(engine, options)
    chosen.append(f"{persona.name} answers with {engine.model}, {engine.slots} at a time")
    line = Line(engine.slots, config["WAITING"])
    return Service(
        engine,
        persona,
        run,
        line,
        Metrics(lambda: line.load),
        _box(root, config["FEEDBACK"], run),
        read_keys(config["FEEDBACK_KEY"], None),
        int(time.time()),
        tuple(chosen),
    )


def _box(root: Path, folder: str | Path | None, run: Run | None) -> Box | None:
    return Box(root / folder, run.name if run else None) if folder else None


def _folder(root: Path, name: str | None) -> Path:
    return choose(root / "models", name)[0]


def _persona(given: str | Path | Persona) -> Persona:
    return given if isinstance(given, Persona) else load_persona(given)
