"""``inosuke serve``, ``space`` and ``feedback``. Flask, torch and waitress are only imported once a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from curation.command import json_option


@click.command(epilog="Example: inosuke serve --run 2026-11-22-1 --port 8000")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for everybody.")
@click.option("--port", default=7860, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 for any.")
@click.option("--run", "run_name", help="A run under models/.  [default: the newest]")
@click.option(
    "--engine", help="llamacpp, transformers, or openai for a model server.  [default: the quickest for the run]"
)
@click.option("--gguf", help="The type of GGUF for llamacpp, such as F16.  [default: the one that measured best]")
@click.option("--url", help="The model server for --engine openai, such as http://127.0.0.1:8000/v1")
@click.option("--model", help="Its model.  [default: the first that it lists]")
@click.option(
    "--persona",
    type=click.Path(path_type=Path),
    help="The character for --engine openai.  [default: persona.toml]",
)
@click.option("--waiting", type=click.IntRange(0, 1000), help="People who may wait.  [default: 16]")
@click.option(
    "--rate",
    type=click.FloatRange(min=0),
    help="Messages a minute for each client; 0 for any number.  [default: 0, or 30 where others reach this server]",
)
@click.option(
    "--keys", type=click.Path(path_type=Path, dir_okay=False), help="A file with keys that let people in, one a line."
)
@click.option("--no-feedback", is_flag=True, help="Keep no feedback, even from visitors who agree.")
def serve(
    host: str,
    port: int,
    run_name: str | None,
    engine: str | None,
    gguf: str | None,
    url: str | None,
    model: str | None,
    persona: Path | None,
    waiting: int | None,
    rate: float | None,
    keys: Path | None,
    no_feedback: bool,
) -> None:
    """Chat with the trained character in a browser, and over JSON at /api/chat."""
    from serve.wsgi.server import run_server

    options: dict[str, Any] = {
        "RUN": run_name,
        "ENGINE": engine,
        "GGUF": gguf,
        "URL": url,
        "MODEL": model,
        "PERSONA": persona,
        "WAITING": waiting,
        "RATE": rate,
        "KEYS_FILE": keys,
    }
    # What is not said here may be said in the environment.
    config = {key: value for key, value in options.items() if value is not None}
    config |= {"FEEDBACK": None} if no_feedback else {}
    run_server(host, port, config, click.echo)


@click.command(epilog="Example: inosuke space --out build/space")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The folder to write.")
@click.option("--run", "run_name", help="A run under models/.  [default: the newest]")
@click.option(
    "--weights-from",
    metavar="OWNER/NAME[@REVISION]",
    help="Leave the GGUF in this model repository; the image fetches it from there and checks its SHA-256.",
)
@click.option("--push", "repo", metavar="OWNER/NAME", help="Upload it to this Space, which is made if it is not there.")
def space(out: Path, run_name: str | None, weights_from: str | None, repo: str | None) -> None:
    """Write a folder that Hugging Face builds as a Docker Space."""
    from serve.space.folder import write_space

    written = write_space(out, run_name, weights_from=weights_from)
    click.echo(f"{len(written)} files in {out}. Try it with `docker build {out}`, then push the folder to a Space.")
    if repo:
        from serve.space.upload import push

        click.echo(f"Open {push(out, repo)}")


@click.group()
def feedback() -> None:
    """Fetch what visitors said about his replies.

    \b
    Example:
      inosuke feedback pull https://owner-inosuke.hf.space
    """


@feedback.command(epilog="Example: INOSUKE_FEEDBACK_KEY=… inosuke feedback pull https://owner-inosuke.hf.space")
@click.argument("url")
@click.option("--key", envvar="INOSUKE_FEEDBACK_KEY", show_envvar=True, help="The server's feedback key.")
@click.option(
    "--into",
    default="datasets/feedback",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that `inosuke dataset` reads.",
)
@json_option
def pull(url: str, key: str | None, into: Path, as_json: bool) -> None:
    """Fetch new feedback from a server at URL, so that `inosuke dataset` puts it before an annotator."""
    import json

    from serve.feedback.pull_remote import pull_feedback

    pulled = pull_feedback(url, key, into)
    if as_json:
        click.echo(json.dumps(pulled._asdict() | {"path": str(pulled.path)}))
        return
    if pulled.left_out:
        click.echo(f"Warning: {pulled.left_out} lines of {url} are not feedback and were left out.", err=True)
    click.echo(f"{pulled.new} new of {pulled.there} in {pulled.path}." + (" Next: make dataset" if pulled.new else ""))
