"""``inosuke serve`` and ``inosuke space``. Flask, torch and waitress are only imported once a command runs."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: inosuke serve --run 2026-11-22-1 --port 8000")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for everybody.")
@click.option("--port", default=7860, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 for any.")
@click.option("--run", "run_name", help="A run under models/.  [default: the newest]")
@click.option(
    "--engine", help="llamacpp, transformers, or openai for a model server.  [default: the quickest for the run]"
)
@click.option("--gguf", help="The type of GGUF for llamacpp, such as F16.  [default: Q4_K_M, if it is there]")
@click.option("--url", help="The model server for --engine openai, such as http://127.0.0.1:8000/v1")
@click.option("--model", help="Its model.  [default: the first that it lists]")
@click.option(
    "--persona", default="persona.toml", type=click.Path(path_type=Path), help="The character for --engine openai."
)
@click.option("--waiting", default=16, show_default=True, type=click.IntRange(0, 1000), help="People who may wait.")
def serve(
    host: str,
    port: int,
    run_name: str | None,
    engine: str | None,
    gguf: str | None,
    url: str | None,
    model: str | None,
    persona: Path,
    waiting: int,
) -> None:
    """Chat with the trained character in a browser, and over JSON at /api/chat."""
    from serve.server import run_server

    config = {
        "RUN": run_name,
        "ENGINE": engine,
        "GGUF": gguf,
        "URL": url,
        "MODEL": model,
        "PERSONA": persona,
        "WAITING": waiting,
    }
    run_server(host, port, config, click.echo)


@click.command(epilog="Example: inosuke space --out build/space")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The folder to write.")
@click.option("--run", "run_name", help="A run under models/.  [default: the newest]")
def space(out: Path, run_name: str | None) -> None:
    """Write a folder that Hugging Face builds as a Docker Space."""
    from serve.space import write_space

    written = write_space(out, run_name)
    click.echo(f"{len(written)} files in {out}. Try it with `docker build {out}`, then push the folder to a Space.")
