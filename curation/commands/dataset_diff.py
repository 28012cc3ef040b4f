"""`inosuke dataset diff`: the differences between two exports. Parse, call, print; nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.command import json_option, persona_option


@click.command()
@click.argument("old", metavar="V1")
@click.argument("new", metavar="V2", default="latest")
@click.option("--limit", default=20, show_default=True, help="Print at most this many samples of each sort.")
@persona_option
@json_option
def diff(old: str, new: str, limit: int, persona_file: Path, as_json: bool) -> None:
    """List the samples added, removed and rewritten between two exports, with reasons.

    A row that was edited in its source counts as rewritten.

    V1 and V2 are versions, the first digits of a version, tags, or `latest`.

    \b
    Example:
      inosuke dataset diff v1 latest
    """
    from curation.export import versions
    from curation.export.diff_text import text
    from curation.folders import Folders
    from curation.persona import load_persona
    from curation.review.decisions import fold, read_log
    from curation.review.queue import read_queue
    from curation.split.history import read_memory

    folders = Folders(load_persona(persona_file).root)
    (was, before), (now, after) = versions.read_two(folders.export, old, new)
    queue = {item.sample.id for item in read_queue(folders.queue)}
    states = fold(read_log(folders.log).decisions)
    changed = versions.compare(before, after, read_memory(folders.split).origins)
    found = versions.explain(changed, states, queue, was, now)
    if as_json:
        click.echo(json.dumps({"from": was.version, "to": now.version, **found.to_json()}, ensure_ascii=False))
    else:
        click.echo(text(found, was.version, now.version, limit))
