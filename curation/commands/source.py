"""`inosuke source`: the folders that a dataset is made from. Parse, call, print; nothing else."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from curation.command import persona_option

if TYPE_CHECKING:
    from curation.record import Rights

_RIGHTS = ("private", "own", "licensed", "unknown")


@click.group()
def source() -> None:
    """Add a source folder to persona.toml.

    \b
    Example:
      inosuke source add ../subtitles
    """


@source.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--rights", type=click.Choice(_RIGHTS), default="private", show_default=True, help="What may be published."
)
@click.option("--trusted", is_flag=True, help="The rows are the author's own: approve them on import.")
@persona_option
def add(folder: Path, rights: Rights, trusted: bool, persona_file: Path) -> None:
    """Add a folder of subtitles, scripts, manga text or rows to the sources.

    Its transcripts wait for review, whatever --trusted says. Comments and layout of persona.toml stay as they are.

    \b
    Example:
      inosuke source add ../subtitles --rights private
    """
    from curation.folders import Folders
    from curation.persona import load_persona
    from curation.pipeline.last_corpus import last
    from curation.pipeline.persona_entries import add_source

    entry = add_source(persona_file, folder, rights, trusted)
    waits = "rows are approved on import, transcripts wait for review" if trusted else "everything waits for review"
    click.echo(f"{persona_file}: added {entry.path} (rights {entry.rights}; {waits}).")
    click.echo(f"Next: inosuke import {shlex.quote(str(folder))}   (what is in it)")
    click.echo("      make review   (or: inosuke dataset, then streamlit run app_review.py)")
    if (corpus := last(Folders(load_persona(persona_file).root))) is not None:
        click.echo(
            f"Note: the last dataset was built from {corpus} alone, and the next one will be. "
            "`inosuke dataset --starter` builds from the folders of persona.toml, this one among them."
        )
