"""``inosuke train`` from the first check to the last file, top to bottom.

In: a :class:`Request`. Out: ``models/<run>/``, its figures, and the summary to print.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from curation import licences
from curation.checks import example_row
from curation.contracts.run import RunMetrics, Speaking, read_metrics, write_metrics
from curation.errors import InosukeError, UsageError
from curation.files import sha256_file, write_atomically
from curation.newest import LATEST
from curation.persona import copy_persona, persona_files
from train import distributed, gpu
from train.data.dialogues import Export, find_export, load_export
from train.distributed import Processes
from train.model import base_model
from train.recipe import (
    Ceiling,
    Recipe,
    continuing,
    for_preferences,
    for_processes,
    load_recipe,
    pick,
    resolve,
    to_toml,
)
from train.run import checkpoint, folder, resume
from train.run.finished import FinishedRun, open_run
from train.run.resume import ResumeInfo, Start

if TYPE_CHECKING:
    from train.loop.speaker import Speaker
    from train.loop.trial import Trial

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for; None stands for the default.

    ``export`` is a folder, ``recipe`` a name or a file, ``run`` the name for the run. ``minutes`` are a ceiling in
    place of the recipe's `max_minutes`, and are filled with up to `max_epochs`. ``resume`` names a run that was
    interrupted or stopped by its ceiling, whose recipe, export and checkpoints are used; ``minutes`` then count from
    now. ``start`` names a finished run whose adapter is continued (``latest``: the newest); ``preferences`` learns from
    pairs of replies instead of dialogues, and starts from the newest run unless ``start`` names one.
    """

    persona_file: Path
    export: Path | None = None
    recipe: str | None = None
    run: str | None = None
    minutes: float | None = None
    resume: str | None = None
    tensorboard: bool = False
    start: str | None = None
    preferences: bool = False

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.persona_file.resolve().parent

    @property
    def models(self) -> Path:
        """The folder of all runs."""
        return self.root / "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be trained: the recipe as this machine runs it, and the reason for each value that it changed.

    ``begun`` is what a run that is resumed wrote about itself; None for a new run. ``start`` is the run whose adapter
    is continued, with ``preferences`` by pairs of replies.
    """

    run: str
    export: Export
    recipe: Recipe
    reasons: list[str]
    ceiling: Ceiling
    begun: ResumeInfo | None = None
    start: FinishedRun | None = None
    preferences: bool = False


class Trained(NamedTuple):
    """A finished run's figures, the summary to print, and whether it was kept.

    A run that continued an earlier one and is not better is not kept: the figures are the earlier one's.
    """

    metrics: RunMetrics
    summary: str
    is_kept: bool = True


def run_training(request: Request, say: Say) -> Trained | None:
    """Train a run. Returns its figures and the summary to print.

    In a distributed training only the first process writes; the others return None.

    Cheap checks come first: a wrong recipe or a damaged export is reported before torch is imported. Raises
    InosukeError for everything that the user can fix, and when they press Ctrl-C.
    """
    _check_persona(request)
    processes = distributed.of_environment()
    if not processes.is_first:
        say = _silence
    if request.minutes is not None and not math.isfinite(request.minutes):
        raise UsageError(f"--minutes is {request.minutes}. Expected a number of minutes, such as 60.")
    plan = _new_plan(request, processes, say) if request.resume is None else _resumed_plan(request, processes, say)
    _announce(plan, request.persona_file, say)
    try:
        with _run_folder(request.models, plan, processes) as run_folder:
            if plan.start is not None:
                base = plan.start.base
            else:
                base = base_model.resolve(plan.recipe.base, request.root, plan.export.persona.languages, say)
            if plan.begun is not None:
                plan.begun.check_base(base)
            elif processes.is_first:
                start = _recorded_start(plan)
                resume.write(run_folder, request.root, plan.export, plan.recipe, plan.reasons, base, start)
            trained = _train_and_write(request, plan, base, run_folder, processes, say)
    except KeyboardInterrupt:
        kept = folder.kept(request.models, plan.run)
        raise InosukeError(f"stopped by Ctrl-C; {kept}. Earlier runs are unchanged.") from None
    except InosukeError as error:
        if checkpoint.latest(folder.unfinished(request.models, plan.run)) is None or isinstance(error, UsageError):
            raise
        kept = folder.kept(request.models, plan.run)
        # Not capitalize(), which would also change the run's name.
        raise InosukeError(f"{error}\n{kept[0].upper()}{kept[1:]}.") from error
    if trained is None:
        return None
    # The run has its name now and can be served, so nothing that fails from here on costs it: first it answers, then
    # `latest` moves.
    from train.results import metrics_json

    metrics, speaker = trained
    try:
        metrics = _with_answers(request, plan, metrics, speaker, say)
    finally:
        settled = folder.settle(request.models, plan.run)
    shown = Path("models") / plan.run
    if settled.is_kept:
        return Trained(metrics, metrics_json.summary(metrics, shown))
    earlier = read_metrics(request.models / plan.run)
    return Trained(earlier, metrics_json.not_kept(metrics, earlier, shown), is_kept=False)


def check_training(request: Request, say: Say) -> Trial:
    """Try out what :func:`run_training` would do, in about a minute. Writes nothing below ``models/`` but a base.

    Raises InosukeError as a training does.
    """
    _check_persona(request)
    if request.resume or request.run or request.tensorboard or request.start or request.preferences:
        raise UsageError(
            "--check makes no run and tries fresh adapters. Leave --resume, --run, --tensorboard, --from and "
            "--preferences out."
        )
    processes = distributed.of_environment()
    if processes.count > 1:
        raise UsageError("--check measures one process. Start it without `accelerate launch`.")
    plan = _new_plan(request, processes, say)
    _announce(plan, request.persona_file, say)
    from train.loop import trial

    base = base_model.resolve(plan.recipe.base, request.root, plan.export.persona.languages, say)
    return trial.try_out(plan.export, plan.recipe, base, say)


def _check_persona(request: Request) -> None:
    if not request.persona_file.is_file():
        raise UsageError(
            f"{request.persona_file}: no such file. Run the command from the project's folder or use --persona."
        )


def _new_plan(request: Request, processes: Processes, say: Say) -> Plan:
    wanted = load_recipe(request.recipe) if request.recipe else None
    start = _start(request, say)
    if start is not None and wanted is None:
        wanted = start.recipe.model_copy(update={"precision": "auto"})
        say(f"Recipe of {start.name}")
    more: list[str] = []
    if start is not None and wanted is not None:
        wanted, more = continuing(wanted, start.recipe, start.name)
    if request.preferences and wanted is not None:
        wanted, others = for_preferences(wanted)
        more += others
    export = load_export(find_export(request.root, request.export))
    recipe, reasons = _recipe_for_this_machine(wanted, request.minutes, export, processes, say)
    reasons = more + reasons
    run = request.run or folder.new_name(request.models, recipe.name, datetime.now())
    if interrupted := folder.unfinished_names(request.models):
        say(f"Note: {interrupted[-1]} was interrupted; continue it with `inosuke train --resume {interrupted[-1]}`.")
    ceiling = Ceiling(recipe.max_minutes, fill=request.minutes is not None)
    return Plan(
        run=run,
        export=export,
        recipe=recipe,
        reasons=reasons,
        ceiling=ceiling,
        start=start,
        preferences=request.preferences,
    )


def _start(request: Request, say: Say) -> FinishedRun | None:
    """Return the run whose adapter is continued; None for fresh adapters."""
    if request.start is None and not request.preferences:
        return None
    name = None if request.start in (None, LATEST) else request.start
    start = open_run(request.root, name, say)
    say(f"Continuing the adapter of {start.name}")
    return start


def _adapter_hash(start: FinishedRun) -> str:
    file = start.folder / "adapter" / "adapter_model.safetensors"
    if not file.is_file():
        raise InosukeError(f"{file}: missing, so there is no adapter to continue. Put it back, or name another run.")
    return sha256_file(file)


def _recorded_start(plan: Plan) -> Start | None:
    """Return what `--resume` has to find again of the run that is continued."""
    return Start(plan.start.name, _adapter_hash(plan.start), plan.preferences) if plan.start is not None else None


def _start_of_resumed(request: Request, begun: ResumeInfo, say: Say) -> FinishedRun | None:
    """Open the run that an interrupted one continues. Raises InosukeError when it is gone or has another adapter."""
    if begun.start is None:
        return None
    start = open_run(request.root, begun.start.run, say)
    if _adapter_hash(start) != begun.start.sha256:
        raise InosukeError(
            f"{start.folder / 'adapter'}: this adapter has changed since {request.resume} began to continue it. Put "
            "the first one back, or train again."
        )
    return start


def _resumed_plan(request: Request, processes: Processes, say: Say) -> Plan:
    if request.recipe or request.export or request.run or request.start or request.preferences:
        raise UsageError(
            "--resume takes recipe, export and name from the run. Leave the other options out, but for --minutes."
        )
    run = request.resume or ""
    place = folder.interrupted(request.models, run)
    begun = resume.read(place, request.root)
    export = load_export(begun.export)
    begun.check_export(export)
    minutes = request.minutes or begun.recipe.max_minutes
    if processes.count > 1 and minutes is not None:
        say("--minutes is ignored: the clocks of several processes would disagree")
        minutes = None
    ceiling = Ceiling(minutes, from_now=request.minutes is not None or place == request.models / run)
    return Plan(
        run=run,
        export=export,
        recipe=begun.recipe,
        reasons=begun.reasons,
        ceiling=ceiling,
        begun=begun,
        start=_start_of_resumed(request, begun, say),
        preferences=begun.start is not None and begun.start.preferences,
    )


def _recipe_for_this_machine(
    wanted: Recipe | None, minutes: float | None, export: Export, processes: Processes, say: Say
) -> tuple[Recipe, list[str]]:
    """Return the recipe as this machine will run it, and a reason for each value that it changed."""
    from train.model.load import device

    here = device()
    if here.kind == "cpu" and (note := gpu.unused_gpu()):
        say(note)
    if wanted is None:
        name, why = pick(here)
        wanted = load_recipe(name)
        say(f"Recipe {name}: {why}")
    if minutes is not None:
        wanted = wanted.model_copy(update={"max_minutes": minutes})
    resolved, reasons = resolve(wanted, export.persona, here)
    shared, more = for_processes(resolved, processes.count)
    return shared, reasons + more


def _announce(plan: Plan, persona_file: Path, say: Say) -> None:
    warn_of_another_persona(persona_file, plan.export, say)
    warn_of_examples(plan.export, say)
    for reason in plan.reasons:
        say(f"  {reason}")
    rows = f"{len(plan.export.train):,} training and {len(plan.export.eval):,} eval dialogues"
    say(f"Run {plan.run}, export {plan.export.version}: {rows}")


def _run_folder(models: Path, plan: Plan, processes: Processes) -> Any:
    """Return a context manager with the folder to write into; only the first process creates and renames it."""
    writing = folder.writing(models, plan.run, resume=plan.begun is not None)
    return writing if processes.is_first else nullcontext(folder.unfinished(models, plan.run))


def _train_and_write(
    request: Request, plan: Plan, base: base_model.BaseModel, run_folder: Path, processes: Processes, say: Say
) -> tuple[RunMetrics, Speaker] | None:
    """Train and write every file of the run; its figures and its card have no sample answers yet."""
    from train.loop import qlora, tensorboard
    from train.results import loss_curve, metrics_json, run_card

    curve = run_folder / "loss_curve.png"
    say(f"Loss curve, redrawn at each evaluation: {curve}")
    title = f"{base.name}, {plan.run}"
    watched = request.tensorboard and processes.is_first
    shared: dict[str, Any] = {
        "processes": processes,
        "watchers": [tensorboard.writer(run_folder / tensorboard.FOLDER)] if watched else [],
        "draw": lambda history: loss_curve.draw(history, curve, title) if processes.is_first else None,
        "ceiling": plan.ceiling,
    }
    start = plan.start.folder / "adapter" if plan.start is not None else None
    preference = None
    if plan.preferences and start is not None:
        from train.preference import tune

        result, speaker, preference = tune.tune_adapter(
            plan.export, plan.recipe, base, start, run_folder, say, **shared
        )
        preference = preference.model_copy(update={"speaking_before": _spoke_before(plan)})
    else:
        trained = qlora.train_adapter(plan.export, plan.recipe, base, run_folder, say, start=start, **shared)
        if trained is None:
            return None
        result, speaker = trained
    metrics = metrics_json.metrics(plan.run, plan.export, result.recipe, result, plan.reasons, request.root)
    started_from = plan.start.name if plan.start is not None else None
    metrics = metrics.model_copy(update={"started_from": started_from, "preference": preference})
    write_metrics(run_folder, metrics)
    loss_curve.draw(result.history, curve, title)
    (run_folder / "recipe.toml").write_text(to_toml(result.recipe), encoding="utf-8")
    # The persona that was reviewed with the export is the one that is trained, and the one that is served.
    copy_persona(plan.export.path / "persona.toml", run_folder)
    (run_folder / "README.md").write_text(run_card.text(metrics, plan.export.persona.name), encoding="utf-8")
    if terms := run_card.terms_of(metrics):
        licences.write_files(run_folder, terms, terms.licence.text)
    return metrics, speaker


def _spoke_before(plan: Plan) -> Speaking | None:
    """Return how the starting run spoke, where it answered the same prompts: those of the same export."""
    earlier = plan.start.metrics if plan.start is not None else None
    return earlier.speaking if earlier is not None and earlier.dataset.version == plan.export.version else None


def _with_answers(request: Request, plan: Plan, metrics: RunMetrics, speaker: Speaker, say: Say) -> RunMetrics:
    """Measure how the run speaks, draw its samples, and write figures and card again.

    The run is finished: what fails is only reported. But a run whose replies were not measured is not served unasked.
    """
    from train.results import metrics_json, run_card

    run_folder = request.models / plan.run
    adapter = run_folder / "adapter"

    def measured(figures: RunMetrics) -> RunMetrics:
        speaking = speaker.speaking(adapter, plan.export)
        return figures.model_copy(update={"speaking": speaking, "speaking_failed": None})

    def sampled(figures: RunMetrics) -> RunMetrics:
        say(f"Answering {plan.recipe.samples} held-out prompts with base and adapter")
        return metrics_json.with_samples(figures, speaker.samples(adapter, plan.export))

    say("Measuring how the adapter speaks: loops, ends of turns, languages")
    metrics = metrics.model_copy(update={"speaking": None, "speaking_failed": "stopped before the end"})
    try:
        for what, part in (("was not measured on replies", measured), ("has no sample answers", sampled)):
            try:
                metrics = part(metrics)
            except Exception as error:  # hours of training must not end in a traceback
                reason = str(error) if isinstance(error, InosukeError) else f"{type(error).__name__}: {error}."
                say(f"Warning: run {plan.run} {what}; it is finished. {reason}")
                if part is measured:
                    metrics = metrics.model_copy(update={"speaking_failed": reason})
    except KeyboardInterrupt:
        raise InosukeError(f"stopped by Ctrl-C while prompts were answered; run {plan.run} is finished.") from None
    finally:
        write_metrics(run_folder, metrics)
        write_atomically(run_folder / "README.md", run_card.text(metrics, plan.export.persona.name))
    return metrics


def _silence(line: str) -> None:
    """Print nothing: of several processes only the first one reports."""


def warn_of_another_persona(persona_file: Path, export: Export, say: Say) -> None:
    """Print a note when persona.toml differs from the export's copy, which is the one that is used."""
    files = zip(persona_files(persona_file), persona_files(export.path / "persona.toml"), strict=False)
    there = {theirs: persona_file.parent / ours for ours, theirs in files}
    if any(sha256_file(path) != export.files.get(name) for name, path in there.items()):
        say(
            f"Note: {persona_file} has changed since export {export.version}; this run uses the export's copy. "
            "`make dataset` makes a new export."
        )


def warn_of_examples(export: Export, say: Say) -> None:
    """Print a warning when rows to train on are still examples of `inosuke new`."""
    examples = sum(example_row(row.messages[-1].content, export.persona) != "" for row in export.train)
    if examples:
        say(
            f"Warning: {examples:,} of {len(export.train):,} training dialogues are still examples of `inosuke new`, "
            "and the model will say them. Write the character's lines in their place, then `inosuke dataset`."
        )
