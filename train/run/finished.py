"""A finished run, opened again: its recipe, persona and base, for whoever measures or merges it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.persona import Persona, load_persona
from train import recipe
from train.model import base_model
from train.run import folder as runs


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run folder says about itself; ``root`` is the project's folder."""

    root: Path
    folder: Path
    metrics: dict[str, Any]
    recipe: recipe.Recipe
    persona: Persona
    base: base_model.BaseModel

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.name


def open_run(root: Path, run: str | None, say: Callable[[str], None]) -> Trained:
    """Open a run by name or path, or the newest, and find its base model.

    Raises InosukeError when there is no such run, a file of it is missing or damaged, or the base is another than the
    adapter was trained on.
    """
    folder = runs.find(root / "models", run)
    for name in ("recipe.toml", "persona.toml"):
        if not (folder / name).is_file():
            raise InosukeError(f"{folder / name}: missing from the run. Put it back, or train again.")
    try:
        metrics = runs.read_metrics(folder)
        wanted = metrics["base_model"]
    except (KeyError, json.JSONDecodeError) as error:
        raise InosukeError(f"{folder / runs.METRICS}: damaged ({error}). Train again with `make train`.") from error
    # A run of an older version does not say where its base came from. The name alone says little: anybody may have
    # a folder of that name.
    embedded = wanted.get("source", "embedded" if wanted["path"] == base_model.PLACE else "") == "embedded"
    place = str(root / wanted["path"]) if wanted["sha256"] else wanted["path"]
    base = base_model.resolve(base_model.NAME if embedded else place, root, say)
    # The embedded model is made on each machine, by that machine's transformers: the same weights, but not always the
    # same bytes. Its GGUF was checked; any other folder has to be the very one.
    if not embedded and base.sha256 != wanted["sha256"]:
        raise InosukeError(
            f"{folder.name}: its adapter was trained on weights with SHA-256 {wanted['sha256']}, {base.location} has "
            f"{base.sha256}. Put the first model back, or train again."
        )
    return Trained(
        root,
        folder,
        metrics,
        recipe.load_recipe(str(folder / "recipe.toml")),
        load_persona(folder / "persona.toml"),
        base,
    )
