"""`inosuke dataset`: build the queue and the export. Parse, call, print; nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from curation.command import json_option, load_command, persona_option
from curation.console import listed
from curation.review.disagreements import waiting_line

if TYPE_CHECKING:
    from curation.pipeline.report import Report

_QUARANTINE = "datasets/quarantine/rejected.jsonl"
_SUBCOMMANDS = {
    "diff": "curation.commands.dataset_diff:diff",
    "flagged": "curation.commands.dataset_flagged:flagged",
    "methods": "curation.commands.dataset_methods:methods",
    "stats": "curation.commands.dataset_stats:stats",
    "tag": "curation.commands.dataset_tag:tag",
}


class _Dataset(click.Group):
    """`dataset` builds. The commands below it work on what was built; each is loaded when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load_command(_SUBCOMMANDS, cmd_name)


@click.group(cls=_Dataset, invoke_without_command=True)
@click.pass_context
@click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    help="Build from this folder instead of persona.toml's, now and until another is named.",
)
@click.option("--starter", is_flag=True, help="Build from the folders of persona.toml again.")
@click.option("--auto-near", is_flag=True, help="Export only the best sample of each near-duplicate cluster.")
@persona_option
@json_option
def dataset(
    ctx: click.Context, corpus: Path | None, starter: bool, auto_near: bool, persona_file: Path, as_json: bool
) -> None:
    """Import, clean, deduplicate, apply the review log, split and export.

    The corpus of the last build is kept: without --corpus and --starter, the dataset is built from the same folders.

    Exit status 1: the run finished, but a file could not be imported, or every row is quarantined. Exit status 2: the
    command or persona.toml is wrong.

    \b
    Example:
      inosuke dataset --corpus ../my-corpus
    """
    if ctx.invoked_subcommand is not None:
        return
    from curation.folders import Folders
    from curation.persona import load_persona
    from curation.pipeline import last_corpus, stages

    persona = load_persona(persona_file)
    folders = Folders(persona.root)
    chosen = last_corpus.choose(folders, corpus, starter)
    unremembered = None if chosen or starter else last_corpus.unremembered(folders)
    report = stages.build(persona_file, chosen, auto_near=auto_near, quiet=as_json)
    last_corpus.remember(folders, chosen)
    built = {"corpus": None if chosen is None else str(chosen)}
    if as_json:
        click.echo(json.dumps(report.to_json() | built, ensure_ascii=False))
    else:
        click.echo(f"{_built_from(chosen, named=corpus is not None)}\n\n{_text(report)}")
    if unremembered:
        click.echo(
            f"Warning: the export before was built from the corpus `{unremembered}`, this one from persona.toml's "
            "folders. Where the corpus lies was not kept then: name it once with --corpus.",
            err=True,
        )
    if persona.moved_words:
        click.echo(f"Note: {persona.moved_words}", err=True)
    if examples := report.flagged.get("example_row", 0):
        click.echo(
            f"Warning: {examples:,} rows are still examples of `inosuke new`. A model that is trained on them says so "
            "aloud, and `inosuke publish` refuses them. Write the character's lines in their place "
            "(`inosuke dataset flagged --code example_row` lists them).",
            err=True,
        )
    for error in report.errors:
        click.echo(f"Warning: {error}", err=True)
    sys.exit(1 if report.errors or report.nothing_imported else 0)


def _built_from(corpus: Path | None, named: bool) -> str:
    """Say which folders a build is made from, and how to change that."""
    if corpus is None:
        return "Built from the source folders of persona.toml."
    if named:
        return f"Built from {corpus}. The next builds are too; --starter goes back to the folders of persona.toml."
    return f"Built from {corpus}, like the last time. --starter goes back to the folders of persona.toml."


def _text(report: Report) -> str:
    """Describe a build stage by stage, with reasons, and name the next command."""
    total = sum(report.imported.values())
    lines = ["Nothing has changed since the last build.", ""] if report.up_to_date else []
    multi = f" ({report.multi_turn:,} multi-turn)" if report.multi_turn else ""
    lines += _row("imported", total, listed(report.imported) + multi)
    lines += _row("held out", report.held_out, "prompts for evaluation, never trained on") if report.held_out else []
    lines += _row("quarantined", sum(report.rejected.values()), listed(report.rejected), _QUARANTINE)
    exact, near = report.duplicates.get("exact", 0), report.duplicates.get("near", 0)
    merged = f"exact {exact:,} (merged: a sample in several files counts once)"
    lines += _row("duplicates", exact + near, f"{merged}, near {near:,} (kept, flagged)")
    lines += _row("languages", sum(report.languages.values()), listed(report.languages))
    lines += _row("flags", sum(report.flagged.values()), listed(report.flagged), "inosuke dataset flagged")
    by = ", ".join(f"{n:,} by {who} on import (trusted source)" for who, n in report.approved_on_import.items())
    lines += _row("approved", report.approved, by)
    lines += _row("to review", report.awaiting_review, "make review" if report.awaiting_review else "")
    if report.awaiting_flagged:
        lines.append(
            f"{'':<22}{report.awaiting_flagged:,} of them from a trusted folder: a flag that is nearly always right "
            "holds them back"
        )
    if report.awaiting_transcripts:
        lines.append(
            f"{'':<22}{report.awaiting_transcripts:,} of them cut from the transcripts of a trusted folder: "
            "trust covers the rows that an author wrote"
        )
    if report.conflicts or report.disputes:
        lines.append(waiting_line(report.conflicts, report.disputes))
    if report.left_out:
        lines += _row("left out", sum(report.left_out.values()), listed(report.left_out))
    sides = " + ".join(f"{n:,} {side}" for side, n in report.exported.items())
    lines += _row("exported", sum(report.exported.values()), sides)
    if report.preferences or report.preferences_set_aside:
        aside = f"set aside: {listed(report.preferences_set_aside)}" if report.preferences_set_aside else ""
        pairs = sum(report.preferences.values())
        lines.append(f"{'preferences':<12}{pairs:>8,}  {'; '.join(filter(None, (listed(report.preferences), aside)))}")
    if report.labels:
        lines.append(f"{'labels':<12}{sum(report.labels.values()):>8,}  {listed(report.labels)}")
    return "\n".join([*lines, "", *_outcome(report)])


def _outcome(report: Report) -> list[str]:
    """Return what came of the build, and the next command."""
    if report.path:
        return [f"Dataset {report.version} is in {report.path}", "Next: make train   (or: inosuke train)"]
    if report.nothing_imported and report.rejected:
        return [
            "No row could be imported, so there is nothing to review and nothing was exported.",
            f"Next: read the reasons in {_QUARANTINE}, fix the rows and run `inosuke dataset` again",
        ]
    if report.nothing_imported:
        return ["No row was found, so nothing was exported.", "Next: fix the files and run `inosuke dataset` again"]
    if report.awaiting_review or report.conflicts or report.disputes:
        return ["Nothing is approved yet, so nothing was exported.", "Next: make review"]
    if report.approved:
        return [
            f"What is approved cannot be exported ({listed(report.left_out)}), so nothing was exported.",
            "Next: rewrite it in `make review`, or add rows and run `inosuke dataset` again",
        ]
    return [
        "No sample is approved and none waits for review, so nothing was exported.",
        "Next: change a verdict in `make review`, or add rows and run `inosuke dataset` again",
    ]


def _row(title: str, count: int, *details: str) -> list[str]:
    detail = "; ".join(d for d in details if d) if count else ""
    return [f"{title:<12}{count:>8,}  {detail}".rstrip()]
