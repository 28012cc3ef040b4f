"""`inosuke review name-speaker`. Parse, call, print; nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import click

from annotations.commands.open_store import opened
from curation.command import json_option, persona_option


@click.command("name-speaker")
@click.argument("sample")
@click.argument("turn", type=click.IntRange(min=1))
@click.argument("name")
@click.option("--by", "annotator", required=True, help="Your name as an annotator.")
@click.option("--file", "whole_file", is_flag=True, help="In the whole source file, not only in the scene.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@persona_option
@json_option
def name_speaker(
    sample: str,
    turn: int,
    name: str,
    annotator: str,
    whole_file: bool,
    dry_run: bool,
    persona_file: Path,
    as_json: bool,
) -> None:
    """Say who speaks in turn TURN (counted from 1) of SAMPLE, and apply it to every sample of the scene.

    All turns with the same label get the NAME; a turn without a label gets it wherever the scene repeats that line. The
    role follows the name. Approved samples are rewritten as one batch that `u` at the desk undoes; samples that wait
    for review become drafts of yours, because a rewrite approves.

    \b
    Example:
      inosuke review name-speaker 52401ed6026f3eb2 1 Tanjiro --by An --dry-run
    """
    from annotations.team import speakers
    from curation.persona import load_persona

    persona = load_persona(persona_file)
    with opened(persona_file) as (store, _):
        item = store.queue.item(sample, annotator)
        naming = speakers.naming_of(item, turn - 1, name)
        seen = speakers.preview(store, persona, annotator, item, naming, whole_file)
        batch, kept = None, 0
        if not dry_run:
            annotator = store.people.join(annotator)
            batch, kept = speakers.apply(store, annotator, seen, client="cli")
    made = 0 if batch is None else len(batch.decisions)
    refused = {change.item.id: change.forbidden for change in seen.refused}
    refused |= {} if batch is None else {sample: str(error) for sample, error in batch.refused.items()}
    if as_json:
        result = {
            "rewrites": [change.item.id for change in seen.changes],
            "waiting": [change.item.id for change in seen.waiting],
            "refused": refused,
            "rewritten": made,
            "drafts": kept,
            "batch": None if batch is None else batch.id,
        }
        click.echo(json.dumps(result, ensure_ascii=False))
        return
    for change in (*seen.changes, *seen.waiting):
        for old, new in zip(change.item.messages, change.messages, strict=True):
            if old != new:
                click.echo(f"{change.item.id}  {old.name or '?'} → {new.name or persona.name}: {new.content[:80]}")
    for other, why in refused.items():
        click.echo(f"refused {other}: {why}")
    if dry_run:
        click.echo(f"{len(seen.changes):,} samples would be rewritten, {len(seen.waiting):,} become drafts.")
    else:
        click.echo(f"{made:,} samples rewritten by {annotator}, {kept:,} drafts kept. Undo the rewrites at the desk: u")
