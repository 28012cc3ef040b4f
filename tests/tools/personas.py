"""The second persona of the tests: Anne, a girl from another story, whose persona.toml has only what is required."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curation.persona import Persona, load_persona

ANNE = Path(__file__).parents[1] / "second_persona" / "persona.toml"


def anne() -> Persona:
    """Return Anne, as her persona.toml describes her."""
    return load_persona(ANNE)


def persona_with(root: Path, **changes: Any) -> Persona:
    """Return Anne with another folder and other values."""
    root.mkdir(parents=True, exist_ok=True)
    return anne().model_copy(update={"root": root, **changes})
