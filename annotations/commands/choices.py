"""`inosuke review choices`. Parse, call, print; nothing else."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click

from annotations.commands.open_store import opened
from curation.command import json_option, persona_option


@click.command()
@click.option(
    "--pairs",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a row for preference training for each pair with a majority: prompt, chosen, rejected.",
)
@persona_option
@json_option
def choices(file: Path | None, persona_file: Path, as_json: bool) -> None:
    """Show the votes on "which sounds more like the character", and write them for preference training.

    Annotators vote at the desk (make review, view Which one?). The votes are in datasets/choices.jsonl.

    \b
    Example:
      inosuke review choices --pairs pairs.jsonl
    """
    from annotations.team.choices import pairs_of, votes
    from curation.files import write_atomically
    from curation.review.choices import preferences

    with opened(persona_file) as (store, folders):
        given = votes(store)
        there = len(pairs_of(store, folders.root / "models"))
    rows = preferences(given)
    won = Counter(f"{row['chosen_from']} over {row['rejected_from']}" for row in rows)
    people = Counter(vote.annotator for vote in given)
    if file is not None:
        write_atomically(file, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    if as_json:
        figures = {"pairs": there, "votes": dict(people), "decided": len(rows), "preferred": dict(won)}
        click.echo(json.dumps(figures | {"file": None if file is None else str(file)}, ensure_ascii=False))
        return
    click.echo(f"{there:,} pairs to choose from, {len(given):,} votes, {len(rows):,} pairs with a majority")
    for name, n in sorted(people.items()):
        click.echo(f"{name}: {n:,} votes")
    for what, n in won.most_common():
        click.echo(f"{what}: {n:,}")
    if file is not None:
        click.echo(f"{len(rows):,} pairs → {file}")
