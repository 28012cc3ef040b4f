"""`inosuke publish-model`: a trained run becomes a model on the Hugging Face Hub. Parse, call, print; nothing else."""

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


@click.command("publish-model")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("repo", metavar="OWNER/NAME")
@click.option("--merged", is_flag=True, help="Publish the merged model (`inosuke merge`) instead of the adapter.")
@click.option("--gguf/--no-gguf", default=True, help="Include the run's GGUF files, if it has any.  [default: gguf]")
@click.option(
    "--base-licence",
    metavar="ID",
    help="The licence of a base model that `inosuke bases` does not list, such as apache-2.0.",
)
@private_option
@tag_option
@dry_run_option
@yes_option
@persona_option
@json_option
def publish_model(
    *,
    run: Path,
    repo: str,
    merged: bool,
    gguf: bool,
    base_licence: str | None,
    private: bool,
    tag: str | None,
    dry_run: bool,
    yes: bool,
    persona_file: Path,
    as_json: bool,
) -> None:
    """Publish a trained adapter or merged model with its card to the Hugging Face Hub, in one commit.

    RUN is the name of a run in models/, or the path of a run's folder. Card, LICENSE and NOTICE follow the licence of
    the base model; what it forbids is refused.

    Before anything is sent, the command shows who sees the repository, the base's licence, what the repository holds
    now, and the files that come, are replaced and go, with their sizes; on a terminal it asks. Elsewhere it publishes,
    unless something wants an answer: files of others, or more than a third of the published bytes removed. The latter
    wants --yes on a terminal too.

    \b
    Example:
      inosuke publish-model 20261122-104500-cpu someone/inosuke-adapter --private
    """
    from curation.hub import model_repository
    from curation.newest import find_run
    from curation.persona import load_persona

    asked = Asked(as_json)
    models = load_persona(persona_file).root / "models"
    publication = model_repository.publish_model(
        find_run(models, str(run), anywhere=True),
        repo,
        merged=merged,
        gguf=gguf,
        base_licence=base_licence,
        private=private,
        tag=tag,
        dry_run=dry_run,
        yes=yes,
        confirm=asked.confirm,
        quiet=as_json,
    )
    if as_json:
        click.echo(json.dumps(publication.to_json(), ensure_ascii=False))
    else:
        click.echo(text(publication, shown=asked.has_shown))
