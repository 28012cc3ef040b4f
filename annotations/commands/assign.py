"""`inosuke review assign` and `inosuke review assigned`. Parse, call, print; nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from annotations.commands.filter_options import as_filters, check_filters, filter_options
from annotations.commands.open_store import opened
from curation.command import json_option, persona_option


@click.command()
@click.option("--to", "annotator", required=True, help="The annotator's name.")
@click.option("--limit", type=click.IntRange(min=1), help="At most this many samples.  [default: all]")
@click.option("--clear", is_flag=True, help="Take the selected samples from the annotator instead.")
@filter_options("open", ("open", "skipped", "disputed", "conflict", "approved", "rejected", "all"))
@persona_option
@json_option
def assign(annotator: str, limit: int | None, clear: bool, persona_file: Path, as_json: bool, **options: Any) -> None:
    """Give samples to an annotator: the desk offers them to that person first, and to no one else.

    What is assigned to someone else already is passed over. With --clear and no other option, everything is taken from
    the annotator that still waits for a verdict.

    \b
    Example:
      inosuke review assign --to An --kind quote --limit 200
    """
    from annotations.team.assignments import Assignments

    with opened(persona_file) as (store, _):
        filters = as_filters(options)
        check_filters(filters, store.queue.choices())
        work = Assignments(store)
        number = work.clear(annotator, filters, limit) if clear else len(work.assign(annotator, filters, limit))
    if as_json:
        click.echo(json.dumps({"annotator": annotator, "cleared" if clear else "assigned": number}, ensure_ascii=False))
    else:
        click.echo(f"{number:,} samples {'taken from' if clear else 'assigned to'} {annotator}")


@click.command()
@persona_option
@json_option
def assigned(persona_file: Path, as_json: bool) -> None:
    """Show what is assigned to whom, and how much of it is decided.

    \b
    Example:
      inosuke review assigned --json
    """
    from annotations.team.assignments import Assignments

    with opened(persona_file) as (store, _):
        shares = Assignments(store).shares()
    if as_json:
        click.echo(json.dumps([asdict(share) for share in shares], ensure_ascii=False))
        return
    lines = [f"{s.annotator}: {s.open:,} to review, {s.done:,} decided" for s in shares]
    click.echo("\n".join(lines) or "Nothing is assigned. Assign: inosuke review assign --to NAME --limit 200")
