"""``inosuke bases``: measure, print."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.command import json_option, persona_option


@click.command()
@persona_option
@json_option
def bases(persona_file: Path, as_json: bool) -> None:
    """List the base models to train on: licence, tokens per character of this corpus, and whether they fit here.

    Fetches nothing: a base that is not on this machine yet is not measured.

    \b
    Example:
      inosuke bases
    """
    from train.commands import base_table

    table, corpus = base_table.rows(persona_file)
    content = {"measured_on": corpus, "bases": [row.to_json() for row in table]}
    click.echo(json.dumps(content, ensure_ascii=False) if as_json else base_table.text(table, corpus))
