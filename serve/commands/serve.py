"""``inosuke serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from serve.engines import ENGINES

_ENGINES = "; ".join(f"{name} ({entry.description})" for name, entry in ENGINES.items())


@click.command(epilog="Example: inosuke serve --run 2026-11-22-1 --port 8000")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all networks.")
@click.option("--port", default=7860, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 for a free one.")
@click.option(
    "--run",
    "run_names",
    multiple=True,
    help="A run under models/; repeat it for several characters, each at /NAME/.  [default: the newest]",
)
@click.option("--engine", help=f"One of: {_ENGINES}.  [default: the fastest for the run]")
@click.option("--gguf", help="The type of GGUF for llamacpp, such as F16.  [default: the one that measured best]")
@click.option("--url", help="The model server for --engine openai, such as http://127.0.0.1:8000/v1")
@click.option("--model", help="The model on that server.  [default: the first that it lists]")
@click.option(
    "--persona",
    type=click.Path(path_type=Path),
    help="The character for --engine openai.  [default: persona.toml]",
)
@click.option(
    "--context",
    type=click.IntRange(min=1),
    help="Tokens of prompt and reply together.  [default: the model's own, up to 4096 on a CPU and as memory allows]",
)
@click.option("--waiting", type=click.IntRange(0, 1000), help="How many requests may wait.  [default: 16]")
@click.option(
    "--rate",
    type=click.FloatRange(min=0),
    help="Messages a minute for each client; 0 for any number.  [default: 0, or 30 where others reach this server]",
)
@click.option(
    "--keys",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file with the keys that clients need, one a line.",
)
@click.option(
    "--system",
    type=click.Choice(["ours", "after", "theirs"]),
    help="System messages of clients under /v1: ours (the character's alone), after (theirs after it), theirs (in its "
    "place).  [default: after]",
)
@click.option(
    "--cors",
    multiple=True,
    metavar="ORIGIN",
    help="A site whose pages may use the API from a browser, such as http://localhost:3000; may be repeated.",
)
@click.option("--access-log", is_flag=True, help="Log each request: client, method, path, status and time.")
@click.option("--no-feedback", is_flag=True, help="Keep no feedback, even from visitors who agree.")
def serve(
    host: str,
    port: int,
    run_names: tuple[str, ...],
    engine: str | None,
    gguf: str | None,
    url: str | None,
    model: str | None,
    persona: Path | None,
    context: int | None,
    waiting: int | None,
    rate: float | None,
    keys: Path | None,
    system: str | None,
    cors: tuple[str, ...],
    access_log: bool,
    no_feedback: bool,
) -> None:
    """Chat with the trained character in a browser, and over JSON at /api/chat."""
    from serve.wsgi.server import run_server

    options: dict[str, Any] = {
        "RUN": run_names or None,
        "ENGINE": engine,
        "GGUF": gguf,
        "URL": url,
        "MODEL": model,
        "PERSONA": persona,
        "CONTEXT": context,
        "WAITING": waiting,
        "RATE": rate,
        "KEYS_FILE": keys,
        "SYSTEM": system,
        "CORS": cors or None,
    }
    # Options that are left out may be set in the environment.
    config = {key: value for key, value in options.items() if value is not None}
    config |= {"ACCESS_LOG": True} if access_log else {}
    config |= {"FEEDBACK": None} if no_feedback else {}
    run_server(host, port, config, click.echo)
