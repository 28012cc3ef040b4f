"""Loads what an application serves: chooses the run and the engine, with the reasons."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from curation.errors import UsageError
from curation.lorebook.matching import fired
from curation.newest import find_run
from curation.persona import Persona, load_persona
from serve.answering.default_settings import default_settings, in_words
from serve.answering.engine_choice import engine_for
from serve.answering.metrics import Metrics
from serve.answering.waiting_line import WaitingLine
from serve.config import ServerConfig
from serve.engine import Engine, Settings
from serve.engines import ENGINES, RUN_ENGINES, native_libraries
from serve.engines.options import OneBase, Options, load_engine
from serve.feedback.inbox import Inbox
from serve.feedback.pushing import Pusher
from serve.feedback.repository import FeedbackRepository
from serve.guard.keys_and_rates import Keys, read_keys
from serve.model_files.portrait import Portrait, load_portrait
from serve.model_files.served_run import MODELS, Run, checked_run


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What the routes of one application share."""

    config: ServerConfig
    """The settings that it was started with."""
    engine: Engine
    """What generates the replies."""
    settings: Settings
    """The sampling settings of a request that names none."""
    persona: Persona
    """The character."""
    portrait: Portrait
    """The character's picture."""
    run: Run | None
    """The run that is served; None with an engine that reaches a model elsewhere."""
    waiting_line: WaitingLine
    """The line in front of the engine."""
    metrics: Metrics
    """The counters."""
    feedback: Inbox | None
    """Where feedback is kept; None where the server keeps none."""
    feedback_keys: Keys
    """Who may fetch it."""
    pusher: Pusher | None
    """What pushes it to the Hub; None where that is not asked for."""
    since: int
    """When the service started, in seconds since 1970."""
    chosen: tuple[str, ...]
    """What was chosen and why, a line each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What will be loaded: an engine, by its name or as an object, and the run that it serves (None: none)."""

    engine: Engine | str
    run: Run | None
    reasons: tuple[str, ...]
    """What was chosen and why, a line each."""
    one_base: OneBase | None = None
    """The base that the run shares with others."""


def choose(config: ServerConfig) -> Choice:
    """Choose the engine and the run that the settings ask for. Loads no model.

    Raises InosukeError where there is no such run, or the engine does not serve one.
    """
    native_libraries.let_threads_sleep()  # early: torch may be asked for CUDA before an engine is chosen
    engine, run, chosen = config.engine, None, []
    if engine is None:
        engine, reason = ("openai", "a --url was given") if config.url else engine_for(_run_folder(config))
        chosen.append(f"engine {engine}: {reason}")
    if isinstance(engine, str) and engine in RUN_ENGINES:
        run = checked_run(config.root, config.run, weights=ENGINES[engine].serves == "adapter")
        chosen.append(f"run {run.name}: {run.why}")
        chosen.append(f"base model {run.base_name}: {run.base}")
    elif config.run:
        raise UsageError(
            f"the run {config.run} was named, but only the engines {' and '.join(RUN_ENGINES)} serve a run. "
            "Choose one of them, or leave --run out."
        )
    return Choice(engine=engine, run=run, reasons=tuple(chosen))


def start(config: ServerConfig, shared: Pusher | None = None, later: int = 0, choice: Choice | None = None) -> Service:
    """Load what the settings ask for, or what was chosen already.

    ``shared`` pushes the feedback of several characters; ``later`` models are loaded after this one.

    Raises InosukeError if that cannot be served.
    """
    choice = choice or choose(config)
    engine, run, chosen = choice.engine, choice.run, list(choice.reasons)
    persona = run.persona if run else _persona(config)
    if isinstance(engine, str):
        options = Options(
            persona=persona,
            run=run,
            url=config.url,
            model=config.model,
            context=config.context,
            gguf=config.gguf,
            later=later,
            one_base=choice.one_base,
        )
        engine = load_engine(engine, options)
    reads = f", up to {engine.context:,} tokens of a conversation" if engine.context else ""
    chosen.append(f"{persona.name} answers with {engine.model}, {engine.slots} at a time{reads}")
    if persona.lore is not None:
        chosen.append(_lorebook(persona, run))
    settings, source = default_settings(config, run)
    chosen.append(f"sampling: {in_words(settings)} ({source})")
    portrait = load_portrait(persona, config.root)
    if portrait.note:
        chosen.append(portrait.note)
    line = WaitingLine(engine.slots, config.waiting)
    metrics = Metrics(lambda: line.load)
    pusher = shared or pusher_for(config, metrics)
    if pusher and not shared:
        chosen.append(pusher.start())
    about = {"run": run.name if run else None, "character": persona.name, "model": engine.model}
    return Service(
        config=config,
        engine=engine,
        settings=settings,
        persona=persona,
        portrait=portrait,
        run=run,
        waiting_line=line,
        metrics=metrics,
        feedback=_inbox(config, pusher, about),
        feedback_keys=read_keys(config.feedback_key, None),
        pusher=pusher,
        since=int(time.time()),
        chosen=tuple(chosen),
    )


def _lorebook(persona: Persona, run: Run | None) -> str:
    """Describe the lorebook in a line, with what to do where something in it has no effect."""
    book = persona.lore
    assert book is not None
    if run is not None and run.prompt == "alpaca":
        return f"lorebook {persona.lorebook.file}: not used, since this run was trained without system prompts (alpaca)"
    fired(book, ())  # a large book is prepared once, before the first visitor
    standing = sum(entry.stands for entry in book.entries)
    notes = f"; {len(book.notes)} notes, listed by `inosuke lorebook`" if book.notes else ""
    return f"lorebook {persona.lorebook.file}: {len(book.entries):,} entries, {standing:,} of them constant{notes}"


def _inbox(config: ServerConfig, pusher: Pusher | None, about: Mapping[str, str | None]) -> Inbox | None:
    if config.feedback is None:
        return None
    limit = config.feedback_limit * 2**20
    return Inbox(config.root / config.feedback, about, limit, pusher.wake if pusher else lambda: None)


def pusher_for(config: ServerConfig, metrics: Metrics) -> Pusher | None:
    """Return what pushes feedback to the Hub, or None where the settings do not ask for that. It is not started."""
    if not config.feedback_repo:
        return None
    if config.feedback is None:
        raise UsageError(
            f"feedback would be pushed to {config.feedback_repo}, but this server keeps none. Leave --no-feedback (or "
            "the empty INOSUKE_FEEDBACK) out, or INOSUKE_FEEDBACK_REPO."
        )
    repository = FeedbackRepository(config.feedback_repo)
    pusher = Pusher(config.root / config.feedback, repository, metrics.feedback_pushed)
    metrics.watch_feedback(pusher.unpushed)
    return pusher


def _run_folder(config: ServerConfig) -> Path:
    return find_run(config.root / MODELS, config.run)


def _persona(config: ServerConfig) -> Persona:
    persona = config.persona if isinstance(config.persona, Persona) else load_persona(config.persona)
    return persona.as_served()
