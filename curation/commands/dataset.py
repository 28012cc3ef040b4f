"""`inosuke dataset`: build the queue and the export. Parse, call, print; nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from curation.command import json_option, load_command, persona_option
from curation.console import listed

if TYPE_CHECKING:
    from curation.pipeline.report import Report

_SUBCOMMANDS = {
    "diff": "curation.commands.dataset_diff:diff",
    "stats": "curation.commands.dataset_stats:stats",
    "tag": "curation.commands.dataset_tag:tag",
}


class _Dataset(click.Group):
    """`dataset` builds. `dataset diff`, `stats` and `tag` work on what was built; each is loaded when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load_command(_SUBCOMMANDS, cmd_name)


@click.group(cls=_Dataset, invoke_without_command=True)
@click.pass_context
@click.option("--corpus", type=click.Path(path_type=Path), help="Build from this folder instead of persona.toml's.")
@click.option("--auto-near", is_flag=True, help="Export only the best sample of each near-duplicate cluster.")
@persona_option
@json_option
def dataset(ctx: click.Context, corpus: Path | None, auto_near: bool, persona_file: Path, as_json: bool) -> None:
    """Import, clean, deduplicate, apply the review log, split and export.

    Exit status 1: the run finished, but a file could not be imported. Exit status 2: the command or persona.toml is
    wrong.

    \b
    Example:
      inosuke dataset --corpus ../my-corpus
    """
    if ctx.invoked_subcommand is not None:
        return
    from curation.pipeline import stages

    report = stages.build(persona_file, corpus, auto_near=auto_near, quiet=as_json)
    click.echo(json.dumps(report.to_json(), ensure_ascii=False) if as_json else _text(report))
    for error in report.errors:
        click.echo(f"Warning: {error}", err=True)
    sys.exit(1 if report.errors else 0)


def _text(report: Report) -> str:
    """Describe a build stage by stage, with reasons, and name the next command."""
    total = sum(report.imported.values())
    lines = ["Nothing has changed since the last build.", ""] if report.up_to_date else []
    multi = f" ({report.multi_turn:,} multi-turn)" if report.multi_turn else ""
    lines += _row("imported", total, listed(report.imported) + multi)
    lines += _row("held out", report.held_out, "prompts for evaluation, never trained on") if report.held_out else []
    lines += _row("quarantined", sum(report.rejected.values()), listed(report.rejected), "datasets/quarantine/")
    exact, near = report.duplicates.get("exact", 0), report.duplicates.get("near", 0)
    merged = f"exact {exact:,} (merged: a sample in several files counts once)"
    lines += _row("duplicates", exact + near, f"{merged}, near {near:,} (kept, flagged)")
    lines += _row("languages", sum(report.languages.values()), listed(report.languages))
    lines += _row("flags", sum(report.flagged.values()), listed(report.flagged))
    by = ", ".join(f"{n:,} by {who} on import (trusted source)" for who, n in report.approved_on_import.items())
    lines += _row("approved", report.approved, by)
    lines += _row("to review", report.awaiting_review, "make review" if report.awaiting_review else "")
    if report.left_out:
        lines += _row("left out", sum(report.left_out.values()), listed(report.left_out))
    sides = " + ".join(f"{n:,} {side}" for side, n in report.exported.items())
    lines += _row("exported", sum(report.exported.values()), sides)
    if report.path:
        lines += ["", f"Dataset {report.version} is in {report.path}", "Next: make train   (or: inosuke train)"]
    else:
        lines += ["", "Nothing is approved yet, so nothing was exported.", "Next: make review"]
    return "\n".join(lines)


def _row(title: str, count: int, *details: str) -> list[str]:
    detail = "; ".join(d for d in details if d) if count else ""
    return [f"{title:<12}{count:>8,}  {detail}".rstrip()]
