"""The sub-commands of train: `train`, `evaluate`, `merge`, `gguf`. Parse, call, print; nothing else."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from curation.command import json_option, persona_option

# OpenMP's threads spin while they wait for each other. Where other programs want the cores too, that ate most of the
# time (two cores, load 6: more than 17 s a row spinning, 4.3 s sleeping). Read when torch is loaded, so set before it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@click.command()
@click.option("--recipe", "recipe_name", help="A recipe's name or file. [default: `default` with CUDA, else `cpu`]")
@click.option("--export", "export_path", type=click.Path(path_type=Path), help="Export folder. [default: the newest]")
@click.option("--run", "run_name", help="Name of the run's folder under models/. [default: time and recipe]")
@click.option("--max-minutes", type=click.FloatRange(min=0, min_open=True), help="Takes the place of the recipe's.")
@click.option("--no-gguf", is_flag=True, help="Do not end by writing GGUF files (a small base on a CPU does).")
@click.option("--resume", metavar="RUN", help="Go on with a run that was interrupted, from its newest checkpoint.")
@click.option("--tensorboard", is_flag=True, help="Write models/<run>/tensorboard while it runs.")
@persona_option
@json_option
def train(
    recipe_name: str | None,
    export_path: Path | None,
    run_name: str | None,
    max_minutes: float | None,
    no_gguf: bool,
    resume: str | None,
    tensorboard: bool,
    persona_file: Path,
    as_json: bool,
) -> None:
    """Train an adapter on the newest export.

    Exit status 1 when the training had to stop (the loss became no number, the disk or the memory is full), 2 when the
    command or the recipe is wrong.

    \b
    Example:
      inosuke train --recipe cpu --max-minutes 5
      inosuke train --resume 20261122-104500-cpu
    """
    from train.commands import pipeline
    from train.gguf import build as files

    content, summary = pipeline.train(
        persona_file, export_path, recipe_name, run_name, max_minutes, say, resume=resume, tensorboard=tensorboard
    )
    if content:  # not in the other processes of a distributed training
        if not no_gguf and not content["training"]["diverged"]:
            files.after_training(persona_file, content, say)
        click.echo(json.dumps(content, ensure_ascii=False, allow_nan=False) if as_json else summary)
        sys.exit(1 if content["training"]["diverged"] else 0)


@click.command()
@click.argument("run", required=False)
@click.option("--export", "export_path", type=click.Path(path_type=Path), help="Export folder. [default: the run's]")
@click.option(
    "--replies", default=120, show_default=True, type=click.IntRange(min=0), help="Held-out prompts to answer."
)
@click.option(
    "--eval-replies", default=0, show_default=True, type=click.IntRange(min=0), help="Eval dialogues to answer as well."
)
@click.option(
    "--votes",
    "votes_files",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Only add votes that the blind page (ab.html) saved to the evaluation that is there; may be repeated.",
)
@persona_option
@json_option
def evaluate(
    run: str | None,
    export_path: Path | None,
    replies: int,
    eval_replies: int,
    votes_files: tuple[Path, ...],
    persona_file: Path,
    as_json: bool,
) -> None:
    """Measure a trained adapter beside its base; RUN is a run's name, or the newest.

    \b
    Example:
      inosuke evaluate 20261122-104500-cpu --replies 50
      inosuke evaluate 20261122-104500-cpu --votes votes.json
    """
    from train.evaluation import side_by_side as evaluation
    from train.evaluation import text
    from train.run import folder as runs

    if votes_files:
        content = evaluation.add_votes(persona_file, run, votes_files, say)
    else:
        content = evaluation.evaluate(persona_file, run, export_path, replies, say, eval_replies)
    if as_json:
        click.echo(json.dumps(content, ensure_ascii=False, allow_nan=False))
        return
    click.echo(text.table(content))
    folder = runs.find(persona_file.resolve().parent / "models", run)
    click.echo(f"\n  report      {folder / 'report.html'}")
    click.echo(f"  blind pairs {folder / 'ab.html'} (then: inosuke evaluate {content['run']} --votes FILE)")


@click.command()
@click.argument("run", required=False)
@persona_option
@json_option
def merge(run: str | None, persona_file: Path, as_json: bool) -> None:
    """Merge an adapter into its 16-bit base; RUN is a run's name, or the newest.

    \b
    Example:
      inosuke merge 20261122-104500-cpu
    """
    from train.gguf import merge_adapter as merging

    folder = merging.merge(persona_file, run, say)
    click.echo(json.dumps({"path": str(folder)}) if as_json else f"Merged model: {folder}")


@click.command()
@click.argument("run", required=False)
@click.option(
    "--type",
    "kind",
    default="Q4_K_M",
    show_default=True,
    type=click.Choice(["Q4_0", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K", "Q8_0", "F16"], case_sensitive=False),
    help="How weights are stored. A better type is served where this one loses too much.",
)
@click.option("--export", "export_path", type=click.Path(path_type=Path), help="Export folder. [default: the run's]")
@persona_option
@json_option
def gguf(run: str | None, kind: str, export_path: Path | None, persona_file: Path, as_json: bool) -> None:
    """Write a run as GGUF files for llama.cpp, measured; RUN is a run's name, or the newest.

    \b
    Example:
      inosuke gguf 20261122-104500-cpu --type Q8_0
    """
    from train.gguf import build as files

    content = files.make(persona_file, run, kind, export_path, say)
    click.echo(json.dumps(content, ensure_ascii=False, allow_nan=False) if as_json else files.table(content))


def say(line: str) -> None:
    """Tell the person at the terminal what goes on; standard output is for the result."""
    click.echo(line, err=True)
