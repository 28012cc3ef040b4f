"""``inosuke evaluate``: parse, measure or count votes, print."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from curation.command import json_option, persona_option
from curation.errors import UsageError
from train.progress import say


@click.command()
@click.argument("run", required=False)
@click.option("--export", type=click.Path(path_type=Path), help="Export folder. [default: the run's]")
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
    help="Only add votes that the blind page (ab.html) saved to the existing evaluation; may be repeated.",
)
@click.option(
    "--dialogues",
    default=4,
    show_default=True,
    type=click.IntRange(min=0),
    help="Scripted dialogues of 40 turns to talk through, to see whether the character drifts.",
)
@click.option("--queue", is_flag=True, help='Only score what waits for a verdict, for `[review] order = "teaching"`.')
@click.option(
    "--against",
    metavar="RUN",
    help="Compare with this run too, on the same dialogues and prompts, and show both on the blind page; `start` is "
    "the run that this one was trained from.",
)
@persona_option
@json_option
def evaluate(
    run: str | None,
    export: Path | None,
    replies: int,
    eval_replies: int,
    votes_files: tuple[Path, ...],
    dialogues: int,
    queue: bool,
    against: str | None,
    persona_file: Path,
    as_json: bool,
) -> None:
    """Measure a trained adapter beside its base; RUN is a run's name, or the newest.

    \b
    Example:
      inosuke evaluate 20261122-104500-cpu --replies 50
      inosuke evaluate 20261122-104500-cpu --against 20261121-090000-cpu
      inosuke evaluate --against start
      inosuke evaluate 20261122-104500-cpu --votes votes.json
      inosuke evaluate --queue
    """
    if queue:
        _queue(run, persona_file, as_json, other_work=bool(votes_files or against or export))
        return
    from train.evaluation import side_by_side, text

    if votes_files:
        trained, evaluation = side_by_side.add_votes(persona_file, run, votes_files, say)
    else:
        trained, evaluation = side_by_side.evaluate(
            persona_file, run, export, replies, say, eval_replies, against, dialogues
        )
    if as_json:
        click.echo(json.dumps(evaluation.to_json(), ensure_ascii=False, allow_nan=False))
        return
    click.echo(text.table(evaluation, trained.persona))
    click.echo(f"\n  report      {trained.folder / 'report.html'}")
    click.echo(f"  blind pairs {trained.folder / 'ab.html'} (then: inosuke evaluate {trained.name} --votes FILE)")
    if against and (faults := trained.metrics.faults()):
        click.echo(
            f"\n{trained.name} did not become the newest run: {'; '.join(faults)}. `inosuke serve` serves the one "
            f"before; `inosuke serve --run {trained.name}` serves this one all the same."
        )


def _queue(run: str | None, persona_file: Path, as_json: bool, *, other_work: bool) -> None:
    if other_work:
        raise UsageError("--queue only scores what waits. Leave --votes, --against and --export out.")
    from train.commands.queue_scores import score_queue

    measured = score_queue(persona_file, run, say)
    click.echo(json.dumps(asdict(measured), ensure_ascii=False) if as_json else measured.text())
