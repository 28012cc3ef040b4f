"""`inosuke review audit`. Parse, call, print; nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from curation.command import json_option, persona_option

if TYPE_CHECKING:
    from curation.contracts.manifest import AuditFacts


@click.command()
@click.option("--sample", "size", type=click.IntRange(min=1), help="Draw this many rows and queue them to be read.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed draws the same rows.")
@click.option(
    "--people", type=click.IntRange(min=1), default=2, show_default=True, help="How many people read each row."
)
@click.option("--source", default="", help="Draw from this source folder or file only.")
@persona_option
@json_option
def audit(size: int | None, seed: int, people: int, source: str, persona_file: Path, as_json: bool) -> None:
    """Have a random sample of what was approved by trust read blind; show the progress and the bound.

    Without --sample it shows the audits there are. The people read at the desk (make review, view Blind reading). Once
    all rows are read, the dataset card states how many rows can be wrong at most.

    \b
    Example:
      inosuke review audit --sample 150 --seed 1
    """
    from annotations.commands.open_store import opened
    from annotations.team.audits import Audits
    from annotations.team.books import sync_books

    with opened(persona_file) as (store, folders):
        audits = Audits(store)
        if size is not None:
            audits.draw(size, seed, people, source)
            sync_books(store, folders)
        rows = [
            {"id": a.draw.id, "time": a.draw.time, "seed": a.draw.seed} | audits.figures(a).model_dump(mode="json")
            for a in audits.all()
        ]
        facts = [audits.figures(a) for a in audits.all()]
        found = [
            {
                "id": f.item.id,
                "disputed": f.disputed,
                "reasons": [a.reason for a in f.answers if a.verdict == "wrong"],
            }
            for f in audits.findings()
        ]
    if as_json:
        click.echo(json.dumps({"audits": rows, "found_wrong": found}, ensure_ascii=False))
        return
    click.echo("\n".join(map(_text, facts)) or "No audit yet. Draw one: inosuke review audit --sample 150 --seed 1")
    if found:
        click.echo(f"{len(found):,} rows wait for a person who rejects, rewrites or clears them: make review")


def _text(facts: AuditFacts) -> str:
    from curation.review.audit_words import sentence

    if facts.bound is not None:
        return sentence(facts)
    if facts.open == 0:
        return f"none of the {facts.drawn:,} rows is what was drawn any more: draw again with another seed"
    progress = f"{facts.read:,} of {facts.drawn:,} rows read, {facts.wrong:,} wrong so far"
    return f"{progress}, {facts.open:,} wait for a reader. The bound appears when all are read. Next: make review"
