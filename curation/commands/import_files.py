"""`inosuke import`: what is in some files. Parse, call, print; nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from curation.command import json_option, persona_option
from curation.console import listed

_SPEAKERS = 4  # speakers of a file that the table names; --json has all


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Write nothing, not even the cache for the next `inosuke dataset`.")
@persona_option
@json_option
def import_files(paths: tuple[Path, ...], dry_run: bool, persona_file: Path, as_json: bool) -> None:
    """Read files or folders and list what is in them.

    \b
    Example:
      inosuke import ../my-corpus/quotes.json
    """
    from curation.importers.inspection import overview
    from curation.persona import load_persona

    files = overview(paths, load_persona(persona_file), quiet=as_json, dry_run=dry_run)
    click.echo(json.dumps({"files": files}, ensure_ascii=False) if as_json else _table(files))
    sys.exit(1 if any(f["error"] for f in files) else 0)


def _table(files: Sequence[Mapping[str, Any]]) -> str:
    """Return a table with one line per file: format, encoding, lines, speakers, samples, quarantined lines."""
    head = ("file", "format", "encoding", "lines", "speakers", "samples", "quarantined")
    rows = [head, *map(_row, files)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in rows
    )


def _row(file: Mapping[str, Any]) -> tuple[str, ...]:
    if file["error"]:
        return (file["path"], "-", "-", "-", "-", "-", file["error"])
    speakers = ", ".join(f"{name} {n}" for name, n in list(file["speakers"].items())[:_SPEAKERS])
    more = f" +{len(file['speakers']) - _SPEAKERS}" if len(file["speakers"]) > _SPEAKERS else ""
    return (
        file["path"],
        file["format"],
        file["encoding"],
        f"{file['utterances']:,}",
        (speakers + more) or "-",
        listed(file["samples"]) or "-",
        listed(file["rejected"]) or "-",
    )
