"""Two characters on one server that may meet, by what their own copies of persona.toml say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask

from curation.persona import Persona, load_persona
from serve.config import ServerConfig
from serve.http.several import together
from tests.tools.personas import ANNE

INOSUKE = Path(__file__).parents[2] / "persona.toml"
YES = "[rooms]\nallowed = true"


def with_rooms(file: Path, folder: Path, rooms: str, more: str = "") -> Persona:
    """Return the persona of a copy of a persona.toml with another table [rooms]; ``more`` is added to it."""
    folder.mkdir()
    text = file.read_text(encoding="utf-8").replace("[rooms]\nallowed = false\n", "")
    (folder / "persona.toml").write_text(f"{text}\n{rooms}\n{more}\n", encoding="utf-8")
    if file == INOSUKE:
        (folder / "datasets").mkdir()
        (folder / "datasets" / "portrait.svg").write_bytes((file.parent / "datasets" / "portrait.svg").read_bytes())
    return load_persona(folder / "persona.toml")


def two(
    root: Path,
    engines: tuple[Any, Any],
    inosuke: str = YES,
    annes: str = YES,
    third: tuple[Any, Persona] | None = None,
    **config: Any,
) -> Flask:
    """Return the application that serves Inosuke and Anne, and perhaps a ``third`` one: engine and persona."""
    personas = with_rooms(INOSUKE, root / "a", inosuke), with_rooms(ANNE, root / "b", annes)
    served = [*zip(engines, personas, strict=True), *([third] if third else [])]
    configs = [
        ServerConfig.model_validate({"ENGINE": engine, "PERSONA": persona, "ROOT": root, "RATE": 0, **config})
        for engine, persona in served
    ]
    return together(configs, {})
