"""What a training leaves to read: ``metrics.json`` and the summary on the screen."""

from __future__ import annotations

import json
import math
import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from train.data.dialogues import Export
from train.loop.callbacks import Step, duration
from train.loop.qlora import Result
from train.loop.trainer import ADVICE
from train.model.load import device
from train.recipe import Recipe
from train.run.folder import is_worse

LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "tokenizers", "safetensors")


@dataclass(frozen=True, slots=True)
class Epoch:
    """A line of the table: training loss at its start and end, eval loss after it, wall-clock seconds.

    ``share`` is the part of the training rows that the epoch saw: less than 1 where the training stopped inside it.
    """

    epoch: int
    training_loss_from: float
    training_loss_to: float
    eval_loss: float | None
    seconds: float
    share: float
    best: bool


def epochs(result: Result) -> list[Epoch]:
    """Cut the record of a training into epochs."""
    table: list[Epoch] = []
    before = 0.0
    for number in range(1, math.ceil(result.steps[-1].step / result.steps_per_epoch) + 1):
        first, last = (number - 1) * result.steps_per_epoch, number * result.steps_per_epoch
        steps = [s for s in result.steps if first < s.step <= last]
        evaluations = [e for e in result.evaluations if first < e.step <= last]
        tenth = max(1, len(steps) // 10)
        end = max([steps[-1].seconds, *(e.seconds for e in evaluations)])
        table.append(
            Epoch(
                epoch=number,
                training_loss_from=_mean(steps[:tenth]),
                training_loss_to=_mean(steps[-tenth:]),
                eval_loss=evaluations[-1].loss if evaluations else None,
                seconds=end - before,
                share=(steps[-1].rows - (number - 1) * result.train_rows) / result.train_rows,
                best=any(e.step == result.best_step for e in evaluations),
            )
        )
        before = end
    return table


def overfitting(result: Result) -> str | None:
    """Name overfitting where the evaluations show it: they got worse while the training loss went on falling."""
    best = next(e for e in result.evaluations if e.step == result.best_step)
    last = result.evaluations[-1]
    if not last.loss > best.loss:  # a last loss that is no number is another matter
        return None
    around = max(1, result.steps_per_epoch // 10)
    then = _mean([s for s in result.steps if s.step <= best.step][-around:])
    now = _mean(result.steps[-around:])
    what = f"eval loss rose from {best.loss:.3f} (epoch {best.rows / result.train_rows:.2f}) to {last.loss:.3f}"
    if now >= then:
        return f"{what}, and the training loss did not fall either ({then:.3f} to {now:.3f}): too high a learning rate?"
    return f"overfitting: {what} while the training loss fell from {then:.3f} to {now:.3f}"


def metrics(run: str, export: Export, recipe: Recipe, result: Result, reasons: list[str], root: Path) -> dict[str, Any]:
    """Return the content of ``metrics.json``; docs/design/train.md names the keys that others rely on.

    A figure that is no number (a norm that overflowed, the loss of an evaluation) is None there, as JSON wants it.
    """
    base = result.base_model
    path = _relative(Path(base.location), root) if base.is_local else base.location
    content = {
        "run": run,
        "base_model": {"name": base.name, "path": path, "sha256": base.sha256, "source": base.source},
        "prompt": recipe.prompt,
        "eval": {
            "rows": result.eval_rows,
            "base": result.base.as_json(),
            "adapter": result.adapter.as_json(),
        },
        "epochs": [asdict(e) for e in epochs(result)],
        "training": {
            "rows": result.train_rows,
            "rows_seen": result.steps[-1].rows,
            "share_seen": min(1.0, result.steps[-1].rows / result.train_rows),
            "left_out": result.left_out,
            "steps": result.steps[-1].step,
            "planned_steps": result.planned_steps,
            "best_step": result.best_step,
            "stopped_because": result.stopped_because or "all steps were done",
            "diverged": result.diverged,
            "overfitting": overfitting(result),
            "resumed": result.resumed,
            "batch_size": result.batch_size,
            "seconds": result.train_seconds,
            "trainable_parameters": result.trainable_parameters,
        },
        "history": {
            "steps": [asdict(s) for s in result.steps],
            "evaluations": [asdict(e) for e in result.evaluations],
        },
        "samples": [asdict(s) for s in result.samples],
        "recipe": recipe.model_dump(mode="json") | {"resolved": reasons},
        "dataset": {
            "version": export.version,
            "path": _relative(export.path, root),
            "files": export.files,
            "eval_rows": len(export.eval),
            "eval_prompts_in_train": _prompts_in_both(export),
        },
        "environment": {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "device": device_name(),
            "cores": os.cpu_count(),
            "versions": {name: version(name) for name in LIBRARIES},
        },
        "seed": recipe.seed,
    }
    return {key: _finite(value) for key, value in content.items()}


def write_metrics(content: dict[str, Any], folder: Path) -> None:
    """Write ``metrics.json``."""
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
    (folder / "metrics.json").write_text(text + "\n", encoding="utf-8")


def summary(content: dict[str, Any], folder: Path) -> str:
    """Return what the person who typed the command reads at the end."""
    base, adapter = content["eval"]["base"], content["eval"]["adapter"]
    training, lines = content["training"], []
    less = 1 - adapter["reply_nll_per_char"] / base["reply_nll_per_char"]
    lines += [
        "",
        f"Run {content['run']}: {content['base_model']['name']} on dataset {content['dataset']['version']}",
        "",
        f"  {'on ' + str(content['eval']['rows']) + ' eval dialogues':<28}{'base':>10}{'adapter':>10}",
        f"  {'eval loss per reply token':<28}{base['loss']:>10.3f}{adapter['loss']:>10.3f}",
        f"  {'perplexity':<28}{base['perplexity']:>10.1f}{adapter['perplexity']:>10.1f}",
        f"  {'nll per reply character':<28}{base['reply_nll_per_char']:>10.3f}"
        f"{adapter['reply_nll_per_char']:>10.3f}   ({less:.0%} {'lower' if less >= 0 else 'HIGHER: do not use it'})",
        "",
        f"  saw {training['rows_seen']:,} dialogues ({training['share_seen']:.0%} of {training['rows']:,}) in "
        f"{training['seconds'] / 60:.1f} min; {training['stopped_because']}",
    ]
    lines += ["", "  epoch   training loss   eval loss      time   of its dialogues"]
    lines += [_epoch_line(e) for e in content["epochs"]]
    lines.append(f"  kept: step {training['best_step']} of {training['steps']}, which has the lowest eval loss")
    if training["overfitting"]:
        lines.append(f"  {training['overfitting']}")
    if training["diverged"]:
        lines.append(f"  {ADVICE}")
    if training["left_out"]:
        lines.append(f"  {len(training['left_out'])} dialogues were too long and left out; metrics.json names them")
    names = {"adapter": "adapter/", "figures": "metrics.json", "loss curve": "loss_curve.png", "card": "README.md"}
    lines += ["", *(f"  {what:<12}{folder / name}" for what, name in names.items())]
    if is_worse(content):
        lines += ["", "No better than its base, so models/latest stays as it was and `inosuke serve` does not take it."]
        lines.append(ADVICE)
    else:
        lines += ["", "Next: make serve   (or: inosuke serve)"]
    return "\n".join(lines)


def _epoch_line(e: dict[str, Any]) -> str:
    change = f"{e['training_loss_from']:.2f} → {e['training_loss_to']:.2f}"
    loss = "–" if e["eval_loss"] is None else f"{e['eval_loss']:.3f}"
    best = "   best" if e["best"] else ""
    return f"  {e['epoch']:<8}{change:<16}{loss:<11}{duration(e['seconds']):>8}   {e['share']:.0%}{best}"


def device_name() -> str:
    """Return the GPU's or the processor's name."""
    if device().kind == "cuda":
        import torch

        return str(torch.cuda.get_device_name())
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    return next((x.split(":", 1)[1].strip() for x in info.splitlines() if x.startswith("model name")), "CPU")


def _mean(steps: list[Step]) -> float:
    return sum(s.loss for s in steps) / len(steps)


def _prompts_in_both(export: Export) -> int:
    """Count the eval rows whose whole prompt is asked in training, too: a template's stands on many rows."""
    asked = {row.messages[:-1] for row in export.train}
    return sum(row.messages[:-1] in asked for row in export.eval)


def _relative(path: Path, root: Path) -> str:
    """Return a path below the project's root as such, so that no run carries the folders of the machine it ran on."""
    path, root = path.resolve(), root.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
