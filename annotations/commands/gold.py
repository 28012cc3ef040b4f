"""`inosuke review gold`: add, list, remove. Parse, call, print; nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from annotations.commands.open_store import opened
from curation.command import json_option, persona_option


@click.group()
def gold() -> None:
    """Gold items: samples with a known verdict, mixed blind into the annotators' queues to see how they judge.

    `gold_share` of persona.toml's [review] says how many of an annotator's samples are gold items. An answer changes no
    sample. Each annotator sees their own score at the desk, adjudicators see all.

    \b
    Example:
      inosuke review gold add --from-adjudicated 20
    """


@gold.command()
@click.argument("sample_id", metavar="[ID]", required=False)
@click.option("--verdict", type=click.Choice(["approve", "reject", "rewrite"]), help="The known verdict.")
@click.option("--reason", default="", help="Why, for your own list.")
@click.option("--from-adjudicated", "number", type=click.IntRange(min=1), help="Take this many settled disputes.")
@persona_option
@json_option
def add(
    sample_id: str | None, verdict: Any, reason: str, number: int | None, persona_file: Path, as_json: bool
) -> None:
    """Add the sample ID with a known verdict, or settled disputes with the adjudicator's.

    \b
    Example:
      inosuke review gold add 52401ed6026f3eb2 --verdict reject
    """
    from annotations.team.gold_items import GoldItems
    from curation.persona import load_persona

    if (sample_id is None) == (number is None) or (sample_id is None) != (verdict is None):
        raise click.UsageError("Give a sample's ID and its --verdict, or --from-adjudicated and a number.")
    with opened(persona_file) as (store, _):
        items = GoldItems(store)
        added = items.add_adjudicated(number) if number else [items.add(sample_id or "", verdict, reason)]
    if as_json:
        click.echo(json.dumps([asdict(item) for item in added], ensure_ascii=False))
        return
    click.echo(f"{len(added):,} gold items added")
    if not load_persona(persona_file).review.gold_share:
        click.echo("None is shown yet: set gold_share in persona.toml's [review], such as 0.05")


@gold.command("list")
@persona_option
@json_option
def list_items(persona_file: Path, as_json: bool) -> None:
    """Show the gold items and the annotators' scores.

    \b
    Example:
      inosuke review gold list --json
    """
    from annotations.team.gold_items import GoldItems

    with opened(persona_file) as (store, _):
        items, scores = GoldItems(store).all(), GoldItems(store).scores()
    if as_json:
        click.echo(
            json.dumps({"items": [asdict(i) for i in items], "scores": [asdict(s) for s in scores]}, ensure_ascii=False)
        )
        return
    for item in items:
        click.echo(f"{item.sample_id}  revision {item.revision}  {item.verdict}  {item.reason}".rstrip())
    click.echo(f"{len(items):,} gold items")
    for score in scores:
        click.echo(f"{score.annotator}: {score.right:,} of {score.answered:,} as known")


@gold.command()
@click.argument("sample_id", metavar="ID")
@persona_option
def remove(sample_id: str, persona_file: Path) -> None:
    """Remove a gold item and the answers to it. A sample that waits for review is in the queue again.

    \b
    Example:
      inosuke review gold remove 52401ed6026f3eb2
    """
    from annotations.team.gold_items import GoldItems

    with opened(persona_file) as (store, _):
        GoldItems(store).remove(sample_id)
    click.echo(f"{sample_id} is not a gold item any more")
