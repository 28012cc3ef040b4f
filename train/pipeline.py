"""``inosuke train`` from the first check to the last file: the stages as a list that can be read top to bottom."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from curation.errors import InosukeError, UsageError
from curation.files import sha256_file
from train import base_model, recipe, runs
from train.data import Export, find_export, load_export


def train(
    persona_file: Path,
    export_path: Path | None,
    recipe_name: str | None,
    run_name: str | None,
    max_minutes: float | None,
    say: Callable[[str], None],
) -> tuple[dict[str, Any], str]:
    """Train a run. Returns the content of its ``metrics.json`` and the summary to print.

    Cheap checks come first: a wrong recipe or a damaged export is said before torch is imported. Raises InosukeError
    for everything that the person who typed the command can mend, and when they press Ctrl-C.
    """
    if not persona_file.is_file():
        raise UsageError(f"{persona_file}: no such file. Run the command from the project's folder or use --persona.")
    root = persona_file.resolve().parent
    wanted = recipe.load_recipe(recipe_name) if recipe_name else None
    export = load_export(find_export(root, export_path))
    _warn_of_another_persona(persona_file, export, say)

    from train.model import device  # torch takes seconds

    here = device()
    if wanted is None:
        name, why = recipe.pick(here)
        wanted = recipe.load_recipe(name)
        say(f"Recipe {name}: {why}")
    if max_minutes is not None:
        wanted = wanted.model_copy(update={"max_minutes": max_minutes})
    chosen, reasons = recipe.resolve(wanted, export.persona, here)
    for reason in reasons:
        say(f"  {reason}")
    say(f"Export {export.version}: {len(export.train):,} training and {len(export.eval):,} eval dialogues")
    run = run_name or runs.new_name(chosen.name, datetime.now())
    try:
        with runs.writing(root / "models", run) as folder:
            base = base_model.resolve(chosen.base, root, say)
            return _run(run, root, folder, export, chosen, reasons, base, say)
    except KeyboardInterrupt:
        raise InosukeError(f"stopped by Ctrl-C; run {run} was not kept, earlier runs are as they were.") from None


def _run(
    run: str,
    root: Path,
    folder: Path,
    export: Export,
    chosen: recipe.Recipe,
    reasons: list[str],
    base: base_model.BaseModel,
    say: Callable[[str], None],
) -> tuple[dict[str, Any], str]:
    from train import card, qlora, report

    result = qlora.train(export, chosen, base, folder, say)
    content = report.metrics(run, export, chosen, result, reasons, root)
    report.write_metrics(content, folder)
    report.draw_loss_curve(result, folder / "loss_curve.png", f"{base.name}, {run}")
    (folder / "recipe.toml").write_text(recipe.to_toml(chosen), encoding="utf-8")
    # What was reviewed is what is trained, and what is trained is what is served: the export's persona goes along.
    shutil.copyfile(export.path / "persona.toml", folder / "persona.toml")
    (folder / "README.md").write_text(card.text(content, export.persona.name), encoding="utf-8")
    return content, report.summary(content, Path("models") / run)


def _warn_of_another_persona(persona_file: Path, export: Export, say: Callable[[str], None]) -> None:
    if sha256_file(persona_file) != export.files["persona.toml"]:
        say(
            f"Note: {persona_file} has changed since export {export.version}; this run uses the export's. "
            "`make dataset` makes a new export."
        )
