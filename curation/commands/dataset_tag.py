"""`inosuke dataset tag`: a name for an export. Parse, call, print; nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from curation.command import persona_option


@click.command()
@click.argument("name", metavar="TAG")
@click.argument("version", metavar="[VERSION]", default="latest")
@persona_option
def tag(name: str, version: str, persona_file: Path) -> None:
    """Give an export a name that is easier to remember than its version. A tag never moves.

    \b
    Example:
      inosuke dataset tag v1
    """
    from curation.export import versions
    from curation.folders import Folders
    from curation.persona import load_persona

    out = Folders(load_persona(persona_file).root).export
    found = versions.find(out, version).name
    versions.tag(out, name, found)
    click.echo(f"{name} is {found}")
