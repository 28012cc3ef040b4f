"""``inosuke train`` from the first check to the last file: the stages as a list that can be read top to bottom."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from curation.errors import InosukeError, UsageError
from curation.files import sha256_file
from train import distributed, recipe
from train.data.dialogues import Export, find_export, load_export
from train.model import base_model
from train.run import checkpoint
from train.run import folder as runs
from train.run import resume as start
from train.speedups import lean_imports


def train(
    persona_file: Path,
    export_path: Path | None,
    recipe_name: str | None,
    run_name: str | None,
    max_minutes: float | None,
    say: Callable[[str], None],
    *,
    resume: str | None = None,
    tensorboard: bool = False,
) -> tuple[dict[str, Any], str]:
    """Train a run. Returns the content of its ``metrics.json`` and the summary to print.

    ``resume`` names an interrupted run: its recipe and export are taken, and what it has learnt. In a distributed
    training only the first process writes, and the others return an empty content and summary.

    Cheap checks come first: a wrong recipe or a damaged export is said before torch is imported. Raises InosukeError
    for everything that the person who typed the command can mend, and when they press Ctrl-C.
    """
    if not persona_file.is_file():
        raise UsageError(f"{persona_file}: no such file. Run the command from the project's folder or use --persona.")
    root = persona_file.resolve().parent
    models = root / "models"
    together = distributed.of_environment()
    if not together.is_first:
        say = _silence
    if resume is not None:
        if recipe_name or export_path or run_name or max_minutes:
            raise UsageError("--resume takes recipe, export and name from the run. Leave the other options out.")
        began = start.read(runs.interrupted(models, resume), root)
        export = load_export(began.export)
        began.check_export(export)
        chosen, reasons, run = began.recipe, began.reasons, resume
    else:
        wanted = recipe.load_recipe(recipe_name) if recipe_name else None
        export = load_export(find_export(root, export_path))
        chosen, reasons = _choose(wanted, max_minutes, export, together, say)
        run = run_name or runs.new_name(models, chosen.name, datetime.now())
        if interrupted := runs.unfinished_names(models):
            say(f"Note: {interrupted[-1]} was interrupted; `inosuke train --resume {interrupted[-1]}` goes on with it.")
    _warn_of_another_persona(persona_file, export, say)
    for reason in reasons:
        say(f"  {reason}")
    say(f"Run {run}, export {export.version}: {len(export.train):,} training and {len(export.eval):,} eval dialogues")
    writing = runs.writing(models, run, resume is not None)
    try:
        with writing if together.is_first else nullcontext(runs.unfinished(models, run)) as folder:
            base = base_model.resolve(chosen.base, root, say)
            if resume is not None:
                began.check_base(base)
            elif together.is_first:
                start.write(folder, root, export, chosen, reasons, base)
            return _run(run, root, folder, export, chosen, reasons, base, say, together, tensorboard)
    except KeyboardInterrupt:
        raise InosukeError(f"stopped by Ctrl-C; {runs.kept(models, run)}. Earlier runs are as they were.") from None
    except InosukeError as error:
        if checkpoint.latest(runs.unfinished(models, run)) is None or isinstance(error, UsageError):
            raise
        kept = runs.kept(models, run)
        raise InosukeError(f"{error}\n{kept[0].upper()}{kept[1:]}.") from error  # capitalize() would change the name


def _choose(
    wanted: recipe.Recipe | None,
    max_minutes: float | None,
    export: Export,
    together: distributed.Processes,
    say: Callable[[str], None],
) -> tuple[recipe.Recipe, list[str]]:
    """Return the recipe as this machine will run it, and a sentence for each thing it changed."""
    lean_imports.load_trainer()  # seconds
    from train.model.load import device

    here = device()
    if wanted is None:
        name, why = recipe.pick(here)
        wanted = recipe.load_recipe(name)
        say(f"Recipe {name}: {why}")
    if max_minutes is not None:
        if not math.isfinite(max_minutes):
            raise UsageError(f"--max-minutes is {max_minutes}. Expected a number of minutes, such as 8.")
        wanted = wanted.model_copy(update={"max_minutes": max_minutes})
    resolved, reasons = recipe.resolve(wanted, export.persona, here)
    shared, more = recipe.for_processes(resolved, together.count)
    return shared, reasons + more


def _run(
    run: str,
    root: Path,
    folder: Path,
    export: Export,
    chosen: recipe.Recipe,
    reasons: list[str],
    base: base_model.BaseModel,
    say: Callable[[str], None],
    together: distributed.Processes,
    tensorboard: bool,
) -> tuple[dict[str, Any], str]:
    lean_imports.load_trainer()  # a run that is resumed has not been to _choose
    from train.loop import qlora
    from train.loop import tensorboard as watch
    from train.results import loss_curve, metrics_json, run_card

    curve = folder / "loss_curve.png"
    say(f"Loss curve, drawn anew at each evaluation: {curve}")
    title = f"{base.name}, {run}"
    result = qlora.train(
        export,
        chosen,
        base,
        folder,
        say,
        together=together,
        watchers=[watch.tensorboard(folder / watch.FOLDER)] if tensorboard and together.is_first else [],
        draw=lambda history: loss_curve.draw(history, curve, title) if together.is_first else None,
    )
    if result is None:
        return {}, ""
    content = metrics_json.metrics(run, export, chosen, result, reasons, root)
    metrics_json.write_metrics(content, folder)
    loss_curve.draw(result.history, curve, title)
    (folder / "recipe.toml").write_text(recipe.to_toml(chosen), encoding="utf-8")
    # What was reviewed is what is trained, and what is trained is what is served: the export's persona goes along.
    shutil.copyfile(export.path / "persona.toml", folder / "persona.toml")
    (folder / "README.md").write_text(run_card.text(content, export.persona.name), encoding="utf-8")
    return content, metrics_json.summary(content, Path("models") / run)


def _silence(line: str) -> None:
    """Say nothing: of several processes the first one speaks."""


def _warn_of_another_persona(persona_file: Path, export: Export, say: Callable[[str], None]) -> None:
    if sha256_file(persona_file) != export.files["persona.toml"]:
        say(
            f"Note: {persona_file} has changed since export {export.version}; this run uses the export's. "
            "`make dataset` makes a new export."
        )
