"""``inosuke space``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: inosuke space --out build/space")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The folder to write.")
@click.option("--run", "run_name", help="A run under models/.  [default: the newest]")
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
    out: Path, run_name: str | None, weights_from: str | None, base_licence: str | None, repo: str | None
) -> None:
    """Write a folder that Hugging Face builds as a Docker Space."""
    from serve.space.folder import write_space

    written = write_space(
        out, run_name, weights_from=weights_from, base_licence=base_licence, licence_known=repo is not None
    )
    click.echo(f"{len(written)} files in {out}. Try it with `docker build {out}`, then push the folder to a Space.")
    if repo:
        from serve.space.upload import push

        click.echo(f"Open {push(out, repo)}")
