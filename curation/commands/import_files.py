"""`inosuke import`: what is in some files. Parse, call, print; nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from curation.command import json_option, persona_option

if TYPE_CHECKING:
    from curation.importers.inspection import Show

_SHOW = ("lines", "samples", "set-aside")


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Write nothing, not even the cache for the next `inosuke dataset`.")
@click.option("--show", type=click.Choice(_SHOW), help="List the lines, the samples, or what is quarantined and why.")
@persona_option
@json_option
def import_files(paths: tuple[Path, ...], dry_run: bool, show: Show | None, persona_file: Path, as_json: bool) -> None:
    """Read files or folders and list what is in them.

    Fonts, pictures and other files that hold no lines by nature are counted and are not an error. Exit status 1: a
    file could not be read.

    \b
    Example:
      inosuke import ../my-corpus/quotes.json
      inosuke import ../subtitles --show lines
    """
    from curation.commands.import_tables import details, overview_table
    from curation.importers.inspection import overview
    from curation.persona import load_persona

    files = overview(paths, load_persona(persona_file), quiet=as_json, dry_run=dry_run, show=show)
    if as_json:
        click.echo(json.dumps({"files": files}, ensure_ascii=False))
    elif show is None:
        click.echo(overview_table(files))
    elif sys.stdout.isatty():
        click.echo_via_pager(details(files, show))
    else:
        for line in details(files, show):
            click.echo(line, nl=False)
    sys.exit(1 if any(f["error"] for f in files) else 0)
