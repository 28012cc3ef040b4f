"""The sub-commands of curation: `import`, `dataset`, `publish`. Parse, call, print; nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

persona_option = click.option(
    "--persona",
    "persona_file",
    type=click.Path(path_type=Path),
    default=Path("persona.toml"),
    show_default=True,
    help="The character's persona.toml; its folder is the project's root.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")


@click.command()
@click.option("--corpus", type=click.Path(path_type=Path), help="Build from this folder instead of persona.toml's.")
@persona_option
@json_option
def dataset(corpus: Path | None, persona_file: Path, as_json: bool) -> None:
    """Import, clean, deduplicate, apply the review log, split and export.

    Exit status 1 when the run finished but a file could not be imported, 2 when the command or persona.toml is wrong.

    \b
    Example:
      inosuke dataset --corpus ../my-corpus
    """
    from curation import pipeline, summary

    report = pipeline.build(persona_file, corpus, quiet=as_json)
    if as_json:
        click.echo(json.dumps(report.to_json(), ensure_ascii=False))
    else:
        click.echo(summary.dataset(report))
    for error in report.errors:
        click.echo(f"Warning: {error}", err=True)
    sys.exit(1 if report.errors else 0)


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@persona_option
@json_option
def import_files(paths: tuple[Path, ...], persona_file: Path, as_json: bool) -> None:
    """Read files or folders and say what is in them; writes nothing.

    \b
    Example:
      inosuke import ../my-corpus/quotes.json
    """
    from curation import summary
    from curation.importers.overview import overview
    from curation.persona import load_persona

    files = overview(paths, load_persona(persona_file), quiet=as_json)
    click.echo(json.dumps({"files": files}, ensure_ascii=False) if as_json else summary.imported(files))
    sys.exit(1 if any(f["error"] for f in files) else 0)


@click.command()
@click.argument("repo", metavar="OWNER/NAME")
@click.option("--private", is_flag=True, help="Create the repository as a private one.")
@click.option("--tag", help="Tag this version, for example v1.")
@click.option("--dry-run", is_flag=True, help="Say what would be published; ask and change nothing.")
@persona_option
@json_option
def publish(repo: str, private: bool, tag: str | None, dry_run: bool, persona_file: Path, as_json: bool) -> None:
    """Publish the newest export to the Hugging Face Hub, in one commit.

    The token comes from `hf auth login` or HF_TOKEN.

    \b
    Example:
      inosuke publish someone/inosuke-lines --private --dry-run
    """
    from curation import publish as publishing
    from curation import summary
    from curation.folders import Folders
    from curation.persona import load_persona

    export = publishing.newest_export(Folders(load_persona(persona_file).root))
    result = publishing.publish(export, repo, private=private, tag=tag, dry_run=dry_run)
    click.echo(json.dumps(result, ensure_ascii=False) if as_json else summary.published(result))
