"""``inosuke merge``: parse, merge, print."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.command import json_option, persona_option
from train.progress import say


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
    from train.gguf.merge_adapter import merge_run

    folder = merge_run(persona_file, run, say)
    click.echo(json.dumps({"path": str(folder)}) if as_json else f"Merged model: {folder}")
