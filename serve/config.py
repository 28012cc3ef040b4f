"""What a server is told, by the command line, a caller or the environment, checked once.

:mod:`serve.http.app` lists it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from curation.errors import UsageError

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PREFIX = "INOSUKE_"


class _Known(BaseModel):
    """Every key of ours, its type and what it is when nobody says. A variable is text, so text is read as a number."""

    model_config = ConfigDict(extra="ignore")

    ROOT: str | Path = "."
    RUN: str | None = None
    ENGINE: Any = None
    GGUF: str | None = None
    URL: str | None = None
    MODEL: str | None = None
    PERSONA: Any = "persona.toml"
    CONTEXT: int | None = Field(default=None, ge=1)
    WAITING: int = Field(default=16, ge=0, le=1000)
    KEYS: Any = None
    KEYS_FILE: str | Path | None = None
    RATE: float = Field(default=0, ge=0, allow_inf_nan=False)
    PROXIES: int = Field(default=0, ge=0)
    FEEDBACK: str | Path | None = "datasets/feedback"
    FEEDBACK_KEY: Any = None
    HOSTS: tuple[str, ...] | None = LOOPBACK
    FRAME_ANCESTORS: str = "'none'"

    @field_validator("HOSTS", mode="before")
    @classmethod
    def _names(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        return None if given.strip() == "*" else tuple(name for part in given.split(",") if (name := part.strip()))


def given(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys that ``config`` or the environment names, checked; ``config`` goes before the environment.

    An empty variable counts as left out, but for FEEDBACK, where it says that none is kept. Raises UsageError that
    names the variable or the key with a wrong value.
    """
    said = {key: os.environ.get(_PREFIX + key) for key in _Known.model_fields if key not in config}
    named = {key: value for key, value in said.items() if value or (key == "FEEDBACK" and value is not None)}
    checked = dict(_check({**named, **config}, named))
    return {**config, **{key: checked[key] for key in checked if key in named or key in config}}


def whole(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return every key of ours; those that nobody names have their defaults. Raises UsageError as :func:`given`."""
    return {**dict(_Known()), **given(config)}


def _check(values: Mapping[str, Any], named: Mapping[str, Any]) -> _Known:
    try:
        return _Known.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = str(first["loc"][0])
        where = f"the environment variable {_PREFIX}{key}" if key in named else f"the setting {key}"
        expected = first["msg"].removeprefix("Input should be ")
        raise UsageError(f"{where} is {values[key]!r}; expected {expected}. Change it, or leave it out.") from None
