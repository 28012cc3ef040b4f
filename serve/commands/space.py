"""``inosuke space``."""

from __future__ import annotations

from pathlib import Path

import click

from curation.errors import UsageError


@click.command(epilog="Example: inosuke space --static --push me/boar")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to write.  [default: build/space, with --static build/static-space]",
)
@click.option("--run", "run_name", help="A run under models/.  [default: the newest]")
@click.option(
    "--static", is_flag=True, help="Write a page that needs no server: the run's GGUF answers in the visitor's browser."
)
@click.option(
    "--weights-from",
    metavar="OWNER/NAME[@REVISION]",
    help="Leave the GGUF in this model repository; the image fetches it from there and checks its SHA-256.",
)
@click.option(
    "--base-licence",
    metavar="ID",
    help="The licence of a base model that `inosuke bases` does not list, such as apache-2.0.",
)
@click.option("--push", "repo", metavar="OWNER/NAME", help="Upload it to this Space, which is created if necessary.")
def space(
    out: Path | None,
    run_name: str | None,
    static: bool,
    weights_from: str | None,
    base_licence: str | None,
    repo: str | None,
) -> None:
    """Write a folder that Hugging Face builds as a Docker Space, or shows as a static one."""
    known = repo is not None
    if static:
        from serve.space.static_folder import untold_facts, write_static_space

        if weights_from:
            raise UsageError("--weights-from is for a Space with a server. Leave it out: --static brings the weights.")
        out = out or Path("build/static-space")
        written = write_static_space(out, run_name, base_licence=base_licence, licence_known=known)
        if untold := untold_facts(run_name):
            click.echo("Note: a page without a server tells no fact that a pattern makes fire. Not told there:")
            for name in untold:
                click.echo(f"  {name}")
        how = f"`python -m http.server --bind 127.0.0.1 --directory {out}`"
    else:
        from serve.space.folder import write_space

        out = out or Path("build/space")
        written = write_space(out, run_name, weights_from=weights_from, base_licence=base_licence, licence_known=known)
        how = f"`docker build {out}`"
    click.echo(f"{len(written)} files in {out}. Try it with {how}, then push the folder to a Space.")
    if repo:
        from serve.space.upload import push

        click.echo(f"Open {push(out, repo, sdk='static' if static else 'docker')}")
