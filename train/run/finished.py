"""A finished run, opened again with its recipe, persona and base, to be measured or merged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from curation.bases import check_adapter
from curation.contracts.run import RunMetrics, read_metrics
from curation.errors import InosukeError
from curation.newest import find_run
from curation.persona import Persona, load_persona
from train.data.dialogues import find_export
from train.model import base_model
from train.recipe import Recipe, load_recipe


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run folder with what it says about itself; ``root`` is the project's folder."""

    root: Path
    folder: Path
    metrics: RunMetrics
    recipe: Recipe
    persona: Persona
    base: base_model.BaseModel

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.name


def open_run(root: Path, run: str | None, say: Callable[[str], None]) -> FinishedRun:
    """Open a run by name or path, or the newest, and find its base model.

    Raises InosukeError when there is no such run, when a file of it is missing or damaged, or when the base is not the
    one that the adapter was trained on.
    """
    folder = find_run(root / "models", run, anywhere=True)
    for name in ("recipe.toml", "persona.toml"):
        if not (folder / name).is_file():
            raise InosukeError(f"{folder / name}: missing from the run. Put it back, or train again.")
    metrics = read_metrics(folder)
    wanted = metrics.base_model
    persona = load_persona(folder / "persona.toml")
    # The name alone proves nothing: a local folder may have the same name.
    embedded = wanted.source == "embedded"
    place = str(root / wanted.path) if wanted.sha256 else wanted.path
    base = base_model.resolve(wanted.name if embedded else place, root, persona.languages, say)
    # An embedded model is converted on each machine by its own transformers: the same weights, but not always the same
    # bytes. Its GGUF file was checked; any other folder must match exactly.
    if embedded and (base.name, base.vocabulary) != (wanted.name, wanted.vocabulary):
        raise InosukeError(
            f"{folder.name}: its adapter was trained on {wanted.name} with another vocabulary than {base.location} has "
            f"now ({base.name}), so its tokens would mean other words. Train again."
        )
    if not embedded and base.sha256 != wanted.sha256:
        raise InosukeError(
            f"{folder.name}: its adapter was trained on weights with SHA-256 {wanted.sha256}, but {base.location} has "
            f"{base.sha256}. Put the first model back, or train again."
        )
    check_adapter(folder / "adapter", wanted)
    return FinishedRun(
        root,
        folder,
        metrics,
        load_recipe(str(folder / "recipe.toml")),
        persona,
        base,
    )


def own_export(trained: FinishedRun) -> Path:
    """Return the export that a run was trained on. Raises InosukeError, naming the newest, when it does not exist."""
    path = trained.root / trained.metrics.dataset.path
    if trained.metrics.dataset.path and path.is_dir():
        return path
    newest = find_export(trained.root)
    raise InosukeError(
        f"{path}: the export that {trained.name} was trained on does not exist any more. Name another with --export, "
        f"such as {newest}; its eval split may then hold dialogues that the run was trained on."
    )
