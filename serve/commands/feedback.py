"""``inosuke feedback``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.command import json_option
from curation.folders import Folders


@click.group()
def feedback() -> None:
    """Fetch what visitors said about the character's replies.

    \b
    Example:
      inosuke feedback pull https://owner-inosuke.hf.space
      inosuke feedback pull owner/feedback
    """


@feedback.command(epilog="Example: INOSUKE_FEEDBACK_KEY=… inosuke feedback pull https://owner-inosuke.hf.space")
@click.argument("source", metavar="URL|OWNER/NAME")
@click.option("--key", envvar="INOSUKE_FEEDBACK_KEY", show_envvar=True, help="The server's feedback key, for a URL.")
@click.option(
    "--into",
    default="datasets/feedback",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that `inosuke dataset` reads.",
)
@json_option
def pull(source: str, key: str | None, into: Path, as_json: bool) -> None:
    """Fetch new feedback; `inosuke dataset` then adds it to the queue.

    From a server at URL, or from the dataset repository OWNER/NAME on the Hugging Face Hub that servers push theirs to
    (INOSUKE_FEEDBACK_REPO), with the token of HF_TOKEN or `hf auth login`.
    """
    from serve.feedback.pull_remote import pull_feedback, pull_repository
    from serve.feedback.repository import FeedbackRepository

    on_the_hub = "://" not in source
    pulled = pull_repository(FeedbackRepository(source), into) if on_the_hub else pull_feedback(source, key, into)
    if as_json:
        click.echo(json.dumps(pulled._asdict() | {"path": str(pulled.path)}))
        return
    if pulled.left_out:
        click.echo(f"Warning: {pulled.left_out} lines of {source} are not feedback and were left out.", err=True)
    click.echo(f"{pulled.new} new of {pulled.there} in {pulled.path}." + (" Next: make dataset" if pulled.new else ""))
    if pulled.new and Folders(into.resolve().parent.parent).corpus.is_file():
        click.echo(
            "Note: the last dataset was built from a corpus alone, which does not hold the feedback. "
            "`make dataset STARTER=1` builds from the folders of persona.toml."
        )
