"""What ``--resume`` needs to know of a run: written when the run begins, removed when it is finished."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pydantic

from curation.errors import InosukeError, explain
from train.data.dialogues import Export
from train.model.base_model import BaseModel
from train.recipe import Recipe
from train.run.folder import RESUME_FILE


@dataclass(frozen=True, slots=True)
class Start:
    """The run whose adapter a training continues, the hash of that adapter, and whether it learns from preferences."""

    run: str
    sha256: str
    preferences: bool


@dataclass(frozen=True, slots=True)
class ResumeInfo:
    """How a run began: resolved recipe, export with the hash of each file, hash of the base, adapter it continues."""

    recipe: Recipe
    reasons: list[str]
    export: Path
    files: dict[str, str]
    base_sha256: str | None
    start: Start | None = None

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


class _Start(pydantic.BaseModel):
    """The content of ``start.json``."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True)

    recipe: Recipe
    reasons: list[str]
    export: str
    files: dict[str, str]
    base_sha256: str | None
    start: Start | None = None


def write(
    folder: Path,
    root: Path,
    export: Export,
    recipe: Recipe,
    reasons: list[str],
    base: BaseModel,
    start: Start | None = None,
) -> None:
    """Write ``start.json`` into the folder of a new run."""
    path = export.path.resolve()
    content = _Start(
        recipe=recipe,
        reasons=reasons,
        export=path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix(),
        files=export.files,
        base_sha256=base.sha256,
        start=start,
    )
    (folder / RESUME_FILE).write_text(content.model_dump_json(indent=1), encoding="utf-8")


def read(folder: Path, root: Path) -> ResumeInfo:
    """Read how an interrupted run began. Raises InosukeError when the file is missing or damaged."""
    file = folder / RESUME_FILE
    try:
        content = _Start.model_validate_json(file.read_bytes())
    except pydantic.ValidationError as error:
        why = explain(error, _Start)
    except OSError as error:
        why = error.strerror or str(error)
    else:
        path = root / content.export
        return ResumeInfo(content.recipe, content.reasons, path, content.files, content.base_sha256, content.start)
    raise InosukeError(f"{file}: damaged ({why}). Remove the folder and train again.")
