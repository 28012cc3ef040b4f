"""`inosuke publish`: an export becomes a dataset on the Hugging Face Hub. Parse, call, print; nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.command import json_option, persona_option
from curation.commands.publish_options import (
    Asked,
    dry_run_option,
    private_option,
    tag_option,
    text,
    yes_option,
)
from curation.record import KINDS


@click.command()
@click.argument("repo", metavar="OWNER/NAME")
@private_option
@tag_option
@dry_run_option
@yes_option
@click.option(
    "--include-private",
    multiple=True,
    metavar="NAME",
    help="Publish this although its rights are not `own` or `licensed`: a sample's id, a source file or a source "
    "folder. Repeatable.",
)
@click.option(
    "--allow-empty",
    multiple=True,
    type=click.Choice(KINDS),
    help="Publish although no imported sample of this kind is approved. Repeatable.",
)
@click.option("--export", "version", default="latest", show_default=True, help="The export: a version or a tag.")
@persona_option
@json_option
def publish(
    *,
    repo: str,
    private: bool,
    tag: str | None,
    dry_run: bool,
    yes: bool,
    include_private: tuple[str, ...],
    allow_empty: tuple[str, ...],
    version: str,
    persona_file: Path,
    as_json: bool,
) -> None:
    """Publish an export to the Hugging Face Hub in one commit, then load it back to check it.

    Before anything is sent, the repository as it will be is put together here and every configuration is loaded. The
    command shows who sees the repository, the licence, and the rows that come and go, and on a terminal it asks.
    Elsewhere it publishes, unless something wants an answer: data of others, or more than a third of the published rows
    removed. The latter wants --yes on a terminal too.

    A public repository leaves out samples whose rights are `private` or `unknown`, and lists them; a private one keeps
    them. The token comes from `hf auth login` or HF_TOKEN.

    \b
    Example:
      inosuke publish someone/inosuke-lines --tag v1 --dry-run
    """
    from curation.export import versions
    from curation.folders import Folders
    from curation.hub import dataset_repository
    from curation.persona import load_persona

    out = Folders(load_persona(persona_file).root).export
    export = versions.find(out, version)
    if tag:
        versions.check_tag(tag, out, export.name)
    asked = Asked(as_json)
    publication = dataset_repository.publish(
        export,
        repo,
        private=private,
        tag=tag,
        dry_run=dry_run,
        include_private=include_private,
        allow_empty=allow_empty,
        yes=yes,
        confirm=asked.confirm,
        quiet=as_json,
    )
    if tag and not dry_run:
        versions.tag(out, tag, export.name)
    if as_json:
        click.echo(json.dumps(publication.to_json(), ensure_ascii=False))
    else:
        click.echo(text(publication, shown=asked.has_shown))
