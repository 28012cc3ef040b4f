"""``inosuke train``: parse, call the pipeline, print."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from curation.command import json_option, persona_option
from train.progress import say

MINUTES = click.FloatRange(min=0, min_open=True)


@click.command()
@click.option("--recipe", help="A recipe's name or file. [default: `default` with CUDA, else `cpu`]")
@click.option("--export", type=click.Path(path_type=Path), help="Export folder. [default: the newest]")
@click.option("--run", help="Name of the run's folder under models/. [default: time and recipe]")
@click.option("--minutes", type=MINUTES, help="Take up to this long, and use it for more epochs (see `max_epochs`).")
@click.option("--max-minutes", type=MINUTES, hidden=True)  # its name in earlier versions
@click.option("--no-gguf", is_flag=True, help="Do not end by writing GGUF files (a small base on a CPU does).")
@click.option("--resume", metavar="RUN", help="Continue a run that was interrupted, or stopped by its minutes.")
@click.option("--preferences", is_flag=True, help="Learn from pairs of replies, from the newest run's adapter on.")
@click.option("--from", "start", metavar="RUN", help="Continue this run's adapter; `latest` is the newest.")
@click.option("--check", is_flag=True, help="Only try two steps: peak memory, speed and a forecast, in a minute.")
@click.option("--tensorboard", is_flag=True, help="Write models/<run>/tensorboard while it runs.")
@persona_option
@json_option
def train(
    recipe: str | None,
    export: Path | None,
    run: str | None,
    minutes: float | None,
    max_minutes: float | None,
    no_gguf: bool,
    resume: str | None,
    preferences: bool,
    start: str | None,
    check: bool,
    tensorboard: bool,
    persona_file: Path,
    as_json: bool,
) -> None:
    """Train an adapter on the newest export.

    Exit status 1 when the training had to stop (the loss became NaN or infinite, the disk or the memory is full), 2
    when the command or the recipe is wrong.

    \b
    Example:
      inosuke train --check
      inosuke train --recipe cpu --minutes 60
      inosuke train --from latest
      inosuke train --preferences
      inosuke train --resume 20261122-104500-cpu --minutes 30
    """
    from train.commands.pipeline import Request, check_training, run_training
    from train.gguf import build

    request = Request(
        persona_file=persona_file,
        export=export,
        recipe=recipe,
        run=run,
        minutes=max_minutes if minutes is None else minutes,
        resume=resume,
        preferences=preferences,
        start=start,
        tensorboard=tensorboard,
    )
    if check:
        trial = check_training(request, say)
        click.echo(json.dumps(asdict(trial), ensure_ascii=False, allow_nan=False) if as_json else trial.text())
        return
    done = run_training(request, say)
    if done is None:  # not the first process of a distributed training
        return
    metrics, summary, is_kept = done
    diverged = metrics.training["diverged"]
    if is_kept and not no_gguf and not diverged:
        build.after_training(persona_file, metrics, say)
    click.echo(json.dumps(metrics.to_json(), ensure_ascii=False, allow_nan=False) if as_json else summary)
    sys.exit(1 if diverged else 0)
