"""What ``--resume`` needs to know of a run: written when the run begins, removed when it is finished."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from curation.errors import InosukeError
from train.data.dialogues import Export
from train.model.base_model import BaseModel
from train.recipe import Recipe
from train.run.folder import RESUME_FILE


@dataclass(frozen=True, slots=True)
class ResumeInfo:
    """How a run began: its resolved recipe, its export with the hash of each file, and the hash of its base."""

    recipe: Recipe
    reasons: list[str]
    export: Path
    files: dict[str, str]
    base_sha256: str | None

    def check_export(self, export: Export) -> None:
        """Raise InosukeError unless ``export`` is the one that the run began with."""
        if export.files != self.files:
            raise InosukeError(
                f"{export.path}: this export has changed since the run began, and a run cannot continue with other "
                "data. Put the first one back, or train again."
            )

    def check_base(self, base: BaseModel) -> None:
        """Raise InosukeError unless ``base`` has the weights that the run began with."""
        if base.sha256 != self.base_sha256:
            raise InosukeError(
                f"{base.location}: its weights have SHA-256 {base.sha256}, the run began with {self.base_sha256}. "
                "Put the first model back, or train again."
            )


def write(folder: Path, root: Path, export: Export, recipe: Recipe, reasons: list[str], base: BaseModel) -> None:
    """Write ``start.json`` into the folder of a new run."""
    path = export.path.resolve()
    content = {
        "recipe": recipe.model_dump(mode="json"),
        "reasons": reasons,
        "export": path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix(),
        "files": export.files,
        "base_sha256": base.sha256,
    }
    (folder / RESUME_FILE).write_text(json.dumps(content, indent=1), encoding="utf-8")


def read(folder: Path, root: Path) -> ResumeInfo:
    """Read how an interrupted run began. Raises InosukeError when the file is missing or damaged."""
    file = folder / RESUME_FILE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        recipe = Recipe.model_validate(content["recipe"])
        return ResumeInfo(
            recipe, content["reasons"], root / content["export"], content["files"], content["base_sha256"]
        )
    except (OSError, ValueError, KeyError) as error:
        raise InosukeError(f"{file}: damaged ({error}). Remove the folder and train again.") from error
