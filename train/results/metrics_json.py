"""The figures of a finished training: ``metrics.json`` and the summary on the screen."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from curation.console import duration
from curation.contracts.run import RunBase, RunDataset, RunEval, RunMetrics, Scores
from train.data.dialogues import Export
from train.evaluation import likelihood
from train.loop.callbacks import History, Step, rows_seen
from train.loop.qlora import Result
from train.loop.speaker import Sampled
from train.loop.trainer import ADVICE
from train.model.load import device
from train.recipe import Recipe
from train.results.sentences import ceiling_note, chosen_on, preference_lines, resume_command, seen, speaking_line

SPEAKS_BADLY = (
    "Its loss is better than its base's, but it does not speak. More dialogues or more epochs help most; then a lower "
    "`learning_rate`, and a larger base."
)
FORGETS = (
    "It learnt the preferences and forgot some of the dialogues. Lower `learning_rate` or `epochs` in the recipe's "
    "[preference], or raise `rpo_alpha`."
)
LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "tokenizers", "safetensors")


@dataclass(frozen=True, slots=True)
class Epoch:
    """One row of the table per epoch: training loss at its start and end, eval loss after it, wall-clock seconds.

    ``share`` is the share of the training rows that the epoch saw, less than 1 where the training stopped inside it.
    """

    epoch: int
    training_loss_from: float
    training_loss_to: float
    eval_loss: float | None
    seconds: float
    share: float
    best: bool


def epochs(history: History, steps_per_epoch: int) -> list[Epoch]:
    """Divide the record of a training into epochs."""
    table: list[Epoch] = []
    before = 0.0
    for number in range(1, math.ceil(history.steps[-1].step / steps_per_epoch) + 1):
        first, last = (number - 1) * steps_per_epoch, number * steps_per_epoch
        steps = [s for s in history.steps if first < s.step <= last]
        evaluations = [e for e in history.evaluations if first < e.step <= last]
        tenth = max(1, len(steps) // 10)
        end = max([steps[-1].seconds, *(e.seconds for e in evaluations)])
        table.append(
            Epoch(
                epoch=number,
                training_loss_from=_mean(steps[:tenth]),
                training_loss_to=_mean(steps[-tenth:]),
                eval_loss=evaluations[-1].loss if evaluations else None,
                seconds=end - before,
                share=(steps[-1].rows - (number - 1) * history.rows) / history.rows,
                best=any(e.step == history.best_step for e in evaluations),
            )
        )
        before = end
    return table


def overfitting(history: History, steps_per_epoch: int) -> str | None:
    """Describe overfitting where the evaluations show it: validation loss rose while the training loss kept falling."""
    best = next(e for e in history.evaluations if e.step == history.best_step)
    last = history.evaluations[-1]
    if not last.loss > best.loss:  # this also returns for a last loss of NaN, which is reported elsewhere
        return None
    around = max(1, steps_per_epoch // 10)
    then = _mean([s for s in history.steps if s.step <= best.step][-around:])
    now = _mean(history.steps[-around:])
    what = f"validation loss rose from {best.loss:.3f} (epoch {best.rows / history.rows:.2f}) to {last.loss:.3f}"
    if now >= then:
        return f"{what}, and the training loss did not fall either ({then:.3f} to {now:.3f}): too high a learning rate?"
    return f"overfitting: {what} while the training loss fell from {then:.3f} to {now:.3f}"


def metrics(run: str, export: Export, recipe: Recipe, result: Result, reasons: list[str], root: Path) -> RunMetrics:
    """Return the content of ``metrics.json``; docs/design/train.md lists the keys that other commands rely on.

    A figure that is NaN or infinite (a norm that overflowed, the loss of an evaluation) becomes None, since JSON has
    neither. There are no samples yet: they are drawn when the run has its name, see :func:`with_samples`.
    """
    base, history, ending = result.base_model, result.history, result.ending
    last_step = history.steps[-1]
    exported = {row.id: row for row in export.eval}
    report = likelihood.compared([exported[row.id] for row in result.rows.eval], result.base, result.adapter)
    train_rows = len(result.rows.train)
    planned_rows = rows_seen(result.schedule.total_steps, train_rows, result.schedule.rows_a_step)
    path = _relative(Path(base.location), root) if base.is_local else base.location
    return RunMetrics(
        run=run,
        base_model=RunBase(
            name=base.name, path=path, sha256=base.sha256, source=base.source, vocabulary=base.vocabulary
        ),
        prompt=recipe.prompt,
        eval=RunEval(
            rows=len(result.rows.eval),
            groups=report["groups"],
            weights=result.weights,
            base=Scores.model_validate(report["base"]),
            adapter=Scores.model_validate(report["adapter"]),
            figures=_finite(report["figures"]),
            by=_finite(report["by"]),
        ),
        epochs=_finite([asdict(e) for e in epochs(history, result.schedule.steps_per_epoch)]),
        training={
            "rows": train_rows,
            "rows_seen": last_step.rows,
            "share_seen": min(1.0, last_step.rows / train_rows),
            "planned_rows": planned_rows,
            "share_of_planned": last_step.rows / planned_rows,
            "left_out": result.rows.left_out,
            "steps": last_step.step,
            "planned_steps": result.schedule.total_steps,
            "best_step": history.best_step,
            "max_minutes": ending.max_minutes,
            "hit_ceiling": ending.hit_ceiling,
            "resume_from": ending.resume_from,
            "chosen_on": "eval" if result.rows.chosen_on_eval else "validation",
            "validation_rows": len(result.rows.validation),
            "stopped_because": ending.stopped_because or "all steps were done",
            "diverged": ending.diverged,
            "overfitting": overfitting(history, result.schedule.steps_per_epoch),
            "resumed": ending.resumed,
            "batch_size": ending.batch_size,
            "seconds": ending.seconds,
            "trainable_parameters": result.trainable_parameters,
            "tokens": result.tokens,
            "peak_bytes": result.peak_bytes,
        },
        history=_finite(
            {
                "steps": [asdict(s) for s in history.steps],
                "evaluations": [asdict(e) for e in history.evaluations],
            }
        ),
        samples=[],
        recipe=recipe.model_dump(mode="json") | {"resolved": reasons},
        dataset=RunDataset(
            version=export.version,
            path=_relative(export.path, root),
            files=export.files,
            eval_rows=len(export.eval),
            eval_prompts_in_train=_prompts_in_both(export),
        ),
        environment={
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "device": device_name(),
            "cores": os.cpu_count(),
            "versions": {name: version(name) for name in LIBRARIES},
        },
        seed=recipe.seed,
    )


def with_samples(metrics: RunMetrics, samples: Sequence[Sampled]) -> RunMetrics:
    """Return the figures with answers to held-out prompts."""
    return metrics.model_copy(update={"samples": [asdict(s) for s in samples]})


def summary(metrics: RunMetrics, folder: Path) -> str:
    """Return the summary that `inosuke train` prints at the end."""
    base, adapter = metrics.eval.base, metrics.eval.adapter
    training, lines = metrics.training, []
    less = 1 - adapter.reply_nll_per_char / base.reply_nll_per_char
    lines += [
        "",
        f"Run {metrics.run}: {metrics.base_model.name} on dataset {metrics.dataset.version}",
        "",
        f"  {f'on {metrics.eval.rows} eval dialogues':<28}{'base':>10}{'adapter':>10}",
        f"  {'eval loss per reply token':<28}{base.loss:>10.3f}{adapter.loss:>10.3f}",
        f"  {'perplexity':<28}{base.perplexity:>10.1f}{adapter.perplexity:>10.1f}",
        f"  {'nll per reply character':<28}{base.reply_nll_per_char:>10.3f}"
        f"{adapter.reply_nll_per_char:>10.3f}   ({less:.0%} {'lower' if less >= 0 else 'HIGHER: do not use it'})",
        f"  {'the same without the end':<28}{base.text_nll_per_char:>10.3f}{adapter.text_nll_per_char:>10.3f}",
        f"  measured on {metrics.eval.weights}, with and without the adapter",
        "",
        f"  {seen(training)} in {training['seconds'] / 60:.1f} min; {training['stopped_because']}",
    ]
    if training["hit_ceiling"]:
        lines.append(f"  {ceiling_note(metrics)}")
    if metrics.preference is not None and metrics.started_from is not None:
        lines += ["", *(f"  {line}" for line in preference_lines(metrics.preference, metrics.started_from))]
    if metrics.speaking is not None:
        lines += ["", f"  {speaking_line(metrics.speaking)}"]
    lines += ["", "  epoch   training loss   validation      time   of its dialogues"]
    lines += [_epoch_line(e) for e in metrics.epochs]
    lines.append(f"  kept: step {training['best_step']} of {training['steps']}, which has the lowest validation loss")
    lines.append(f"  {chosen_on(metrics)}")
    if training["overfitting"]:
        lines.append(f"  {training['overfitting']}")
    if training["diverged"]:
        lines.append(f"  {ADVICE}")
    if training["left_out"]:
        lines.append(f"  {len(training['left_out'])} dialogues were too long and left out; metrics.json names them")
    names = {"adapter": "adapter/", "figures": "metrics.json", "loss curve": "loss_curve.png", "card": "README.md"}
    lines += ["", *(f"  {what:<12}{folder / name}" for what, name in names.items())]
    if faults := metrics.faults():
        lines += ["", f"models/latest is unchanged, so `inosuke serve` does not use this run: {'; '.join(faults)}."]
        lines.append(f"`inosuke serve --run {metrics.run}` serves it all the same.")
        if training["resume_from"] is not None:
            lines.append(f"It saw too little. Give it more minutes: {resume_command(metrics)}")
        elif metrics.speaking_failed is None:
            lines.append(ADVICE if metrics.is_worse else FORGETS if metrics.forgets else SPEAKS_BADLY)
    else:
        lines += ["", "Next: make serve   (or: inosuke serve)"]
    return "\n".join(lines)


def not_kept(later: RunMetrics, earlier: RunMetrics, folder: Path) -> str:
    """Return what `inosuke train --resume` prints when more minutes brought nothing better."""
    was, now = earlier.eval.adapter.loss, later.eval.adapter.loss
    why = f"eval loss per reply token {now:.3f} after {seen(later.training)}, before {was:.3f}"
    if now < was:
        why = f"{'; '.join(later.faults())}"
    again = "" if later.training["resume_from"] is None else f" Even more minutes: {resume_command(later)}"
    return f"\nRun {later.run}: the further training brought nothing better ({why}). {folder} is as it was.{again}"


def _epoch_line(e: dict[str, Any]) -> str:
    change = f"{e['training_loss_from']:.2f} → {e['training_loss_to']:.2f}"
    loss = "–" if e["eval_loss"] is None else f"{e['eval_loss']:.3f}"
    best = "   best" if e["best"] else ""
    return f"  {e['epoch']:<8}{change:<16}{loss:<12}{duration(e['seconds']):>8}   {e['share']:.0%}{best}"


def device_name() -> str:
    """Return the name of the GPU, or of the processor."""
    if device().kind == "cuda":
        import torch

        return str(torch.cuda.get_device_name())
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    return next((x.split(":", 1)[1].strip() for x in info.splitlines() if x.startswith("model name")), "CPU")


def _mean(steps: Sequence[Step]) -> float:
    return sum(s.loss for s in steps) / len(steps)


def _prompts_in_both(export: Export) -> int:
    """Count the eval rows whose whole prompt also occurs in training, as a template's prompt does."""
    asked = {row.messages[:-1] for row in export.train}
    return sum(row.messages[:-1] in asked for row in export.eval)


def _relative(path: Path, root: Path) -> str:
    """Return a path below the project's root as relative, so that a run does not name this machine's folders."""
    path, root = path.resolve(), root.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
