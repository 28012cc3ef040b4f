"""The sub-commands of curation: `import`, `dataset`, `publish`. Parse, call, print; nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from curation.command import json_option, persona_option


class _Dataset(click.Group):
    """`dataset` builds; `dataset diff`, `stats` and `tag` speak of what was built, and are loaded when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["diff", "stats", "tag"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from curation.commands import stats
        from curation.commands import versions as versions_cli

        return {"diff": versions_cli.diff, "stats": stats.stats, "tag": versions_cli.tag}.get(cmd_name)


@click.group(cls=_Dataset, invoke_without_command=True)
@click.pass_context
@click.option("--corpus", type=click.Path(path_type=Path), help="Build from this folder instead of persona.toml's.")
@click.option("--auto-near", is_flag=True, help="Export only the best of each near-duplicate cluster, unasked.")
@persona_option
@json_option
def dataset(ctx: click.Context, corpus: Path | None, auto_near: bool, persona_file: Path, as_json: bool) -> None:
    """Import, clean, deduplicate, apply the review log, split and export.

    Exit status 1 when the run finished but a file could not be imported, 2 when the command or persona.toml is wrong.

    \b
    Example:
      inosuke dataset --corpus ../my-corpus
    """
    if ctx.invoked_subcommand is not None:
        return
    from curation.build import pipeline
    from curation.commands import summary

    report = pipeline.build(persona_file, corpus, auto_near, quiet=as_json)
    if as_json:
        click.echo(json.dumps(report.to_json(), ensure_ascii=False))
    else:
        click.echo(summary.dataset(report))
    for error in report.errors:
        click.echo(f"Warning: {error}", err=True)
    sys.exit(1 if report.errors else 0)


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Write nothing, not even what was read for the next `inosuke dataset`.")
@persona_option
@json_option
def import_files(paths: tuple[Path, ...], dry_run: bool, persona_file: Path, as_json: bool) -> None:
    """Read files or folders and say what is in them.

    \b
    Example:
      inosuke import ../my-corpus/quotes.json
    """
    from curation.commands import summary
    from curation.importers.inspection import overview
    from curation.persona import load_persona

    files = overview(paths, load_persona(persona_file), quiet=as_json, dry_run=dry_run)
    click.echo(json.dumps({"files": files}, ensure_ascii=False) if as_json else summary.imported(files))
    sys.exit(1 if any(f["error"] for f in files) else 0)


_private = click.option("--private", is_flag=True, help="Create the repository as a private one.")
_tag = click.option("--tag", help="Tag this version, for example v1.")
_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be published; ask the Hub and change nothing.")


@click.command()
@click.argument("repo", metavar="OWNER/NAME")
@_private
@_tag
@_dry_run
@click.option(
    "--include-private",
    multiple=True,
    metavar="NAME",
    help="Publish this although it is not marked as yours: a sample's id, a source file or folder. Repeatable.",
)
@click.option(
    "--allow-empty",
    multiple=True,
    type=click.Choice(["persona", "quote", "conversation", "generic_qa"]),
    help="Publish although no imported sample of this kind is approved. Repeatable.",
)
@click.option("--export", "version", default="latest", show_default=True, help="Which export: a version or a tag.")
@persona_option
@json_option
def publish(
    repo: str,
    private: bool,
    tag: str | None,
    dry_run: bool,
    include_private: tuple[str, ...],
    allow_empty: tuple[str, ...],
    version: str,
    persona_file: Path,
    as_json: bool,
) -> None:
    """Publish an export to the Hugging Face Hub, in one commit, and load it back.

    Samples whose rights are `private` or `unknown` are left out of a public repository and listed. The token comes
    from `hf auth login` or HF_TOKEN.

    \b
    Example:
      inosuke publish someone/inosuke-lines --tag v1 --dry-run
    """
    from curation.commands import summary
    from curation.export import versions
    from curation.folders import Folders
    from curation.hub import dataset_repository as publishing
    from curation.persona import load_persona

    out = Folders(load_persona(persona_file).root).export
    export = versions.find(out, version)
    if tag:
        versions.check_tag(tag, out, export.name)
    result = publishing.publish(
        export,
        repo,
        private=private,
        tag=tag,
        dry_run=dry_run,
        include_private=include_private,
        allow_empty=allow_empty,
        quiet=as_json,
    )
    if tag and not dry_run:
        versions.tag(out, tag, export.name)
    click.echo(json.dumps(result, ensure_ascii=False) if as_json else summary.published(result))


@click.command("publish-model")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("repo", metavar="OWNER/NAME")
@click.option("--merged", is_flag=True, help="Publish the merged model (`inosuke merge`) instead of the adapter.")
@click.option("--gguf/--no-gguf", default=True, help="Send the run's GGUF files along, if it has any.  [default: gguf]")
@_private
@_tag
@_dry_run
@persona_option
@json_option
def publish_model(
    run: Path,
    repo: str,
    merged: bool,
    gguf: bool,
    private: bool,
    tag: str | None,
    dry_run: bool,
    persona_file: Path,
    as_json: bool,
) -> None:
    """Publish a trained adapter or merged model with its card to the Hugging Face Hub, in one commit.

    RUN is the name of a folder in models/, or a folder.

    \b
    Example:
      inosuke publish-model 20261122-104500-cpu someone/inosuke-adapter --private
    """
    from curation.commands import summary
    from curation.hub.model_repository import publish_model as publishing
    from curation.persona import load_persona

    named = load_persona(persona_file).root / "models" / run
    result = publishing(
        named if named.is_dir() else run,
        repo,
        merged=merged,
        gguf=gguf,
        private=private,
        tag=tag,
        dry_run=dry_run,
        quiet=as_json,
    )
    click.echo(json.dumps(result, ensure_ascii=False) if as_json else summary.published(result))
