"""The server's settings, from the command line, a caller or the environment, checked once.

:mod:`serve.http.app` describes each of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, SkipValidation, ValidationError

from curation.errors import UsageError, explain
from curation.persona import Persona
from serve.engine import Engine

LOOPBACK = ("localhost", "127.0.0.1", "::1")
PREFIX = "INOSUKE_"
SystemPolicy = Literal["ours", "after", "theirs"]
"""Whose system prompt a client of OpenAI's API gets: the character's alone, theirs after it, or theirs in its place."""


def _host_names(value: object) -> object:
    """Return the names in a text with commas, or None (any name) for ``*``; anything else as it is."""
    if not isinstance(value, str):
        return value
    return None if value.strip() == "*" else tuple(name for part in value.split(",") if (name := part.strip()))


def _no_folder(value: object) -> object:
    return None if value == "" else value


def _key_list(value: object) -> object:
    """Return the keys of a list, or of a text with commas; None is an empty list."""
    items = value if isinstance(value, list | tuple) else () if value is None else str(value).split(",")
    return tuple(key for item in items if (key := str(item).strip()))


def _origins(value: object) -> object:
    """Return the origins of a list, or of a text with commas, as browsers write them."""
    items = value if isinstance(value, list | tuple) else () if value is None else str(value).split(",")
    return tuple(_origin(origin) for item in items if (origin := str(item).strip()))


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for a port that is not one
    except ValueError:
        parts = urlsplit("")
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or text.rstrip("/").lower() != f"{parts.scheme}://{parts.netloc}".lower()
    ):
        raise ValueError(
            f"{text!r} is not an origin; expected scheme, host and port such as https://chat.example or "
            "http://localhost:3000, and no `*`: every site that is open in a browser could use the server"
        )
    if "@" in parts.netloc or "*" in parts.netloc:
        raise ValueError(f"{text!r} is not one origin; expected one host without `*` and without a name before `@`")
    usual = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def _run_names(value: object) -> object:
    """Return the names of a list as a text with commas; anything else as it is."""
    return ",".join(str(name) for name in value) if isinstance(value, list | tuple) else value


Keys = Annotated[tuple[str, ...], BeforeValidator(_key_list)]


class ServerConfig(BaseModel):
    """Every setting with its type and default. Callers and the environment use its name in capitals, such as ``RUN``.

    A variable is text, so text is accepted as a number. Keys that are not here belong to Flask.
    """

    model_config = ConfigDict(
        alias_generator=str.upper, arbitrary_types_allowed=True, extra="ignore", frozen=True, protected_namespaces=()
    )

    root: Path = Path()
    run: Annotated[str | None, BeforeValidator(_run_names)] = None
    engine: SkipValidation[Engine | str | None] = None
    gguf: str | None = None
    url: str | None = None
    model: str | None = None
    persona: Persona | Path = Path("persona.toml")
    context: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=0, le=1000)
    min_p: float | None = Field(default=None, ge=0, lt=1)
    repetition_penalty: float | None = Field(default=None, ge=1, le=2)
    dry_multiplier: float | None = Field(default=None, ge=0, le=5)
    waiting: int = Field(default=16, ge=0, le=1000)
    keys: Keys = ()
    keys_file: Path | None = None
    rate: float = Field(default=0, ge=0, allow_inf_nan=False)
    rate_store: SecretStr | None = None
    proxies: int = Field(default=0, ge=0)
    feedback: Annotated[Path | None, BeforeValidator(_no_folder)] = Path("datasets/feedback")
    feedback_limit: int = Field(default=64, ge=1)
    feedback_key: Keys = ()
    feedback_repo: str | None = None
    metrics_key: Keys = ()
    metrics_open: bool = True
    access_log: bool = False
    hosts: Annotated[tuple[str, ...] | None, BeforeValidator(_host_names)] = LOOPBACK
    frame_ancestors: str = "'none'"
    system: SystemPolicy = "after"
    cors: Annotated[tuple[str, ...], BeforeValidator(_origins)] = ()

    def each_run(self) -> list[ServerConfig]:
        """Return the settings for each run that is named, in that order. Raises UsageError for one that comes twice."""
        names = [name for part in (self.run or "").split(",") if (name := part.strip())]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise UsageError(f"the run {twice} was named twice. Expected runs of different characters: name it once.")
        return [self.model_copy(update={"run": name}) for name in names] or [self]

    def with_defaults(self, **defaults: Any) -> ServerConfig:
        """Return a copy with other defaults for what neither the caller nor the environment has set."""
        return self.model_copy(update={k: v for k, v in defaults.items() if k not in self.model_fields_set})


NAMES = frozenset(name.upper() for name in ServerConfig.model_fields)


def read_config(given: Mapping[str, Any]) -> ServerConfig:
    """Return the settings of a caller, completed from the environment (``INOSUKE_RUN`` for ``RUN``).

    An empty variable counts as left out, except for FEEDBACK, where it means that no feedback is kept. Raises
    UsageError that names the variable or the setting with a wrong value.
    """
    variables = {name: os.environ.get(PREFIX + name) for name in NAMES - given.keys()}
    used = {name: text for name, text in variables.items() if text or (name == "FEEDBACK" and text is not None)}
    try:
        return ServerConfig.model_validate({**used, **given})
    except ValidationError as error:
        wrong = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors())
        sources = [
            f"the environment variable {PREFIX}{name}" if name in used else f"the setting {name}" for name in wrong
        ]
        raise UsageError(
            f"{' and '.join(sources)}: {explain(error, ServerConfig)}. Change the value, or leave it out."
        ) from None
