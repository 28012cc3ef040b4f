"""``inosuke gguf``: parse, write the GGUF files, print."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.command import json_option, persona_option
from train.progress import say


@click.command()
@click.argument("run", required=False)
@click.option(
    "--type",
    "kind",
    type=click.Choice(["Q4_0", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K", "Q8_0", "F16"], case_sensitive=False),
    help="How weights are stored. A better type is served where this one loses too much. [default: Q8_0; Q4_K_M from a "
    "billion parameters on]",
)
@click.option("--export", type=click.Path(path_type=Path), help="Export folder. [default: the run's]")
@click.option(
    "--adapter",
    is_flag=True,
    help="Also write the adapter alone, and its base once for all runs on it: `inosuke serve --run A --run B` then "
    "loads one base for both.",
)
@persona_option
@json_option
def gguf(run: str | None, kind: str, export: Path | None, adapter: bool, persona_file: Path, as_json: bool) -> None:
    """Write a run as GGUF files for llama.cpp, measured; RUN is a run's name, or the newest.

    \b
    Example:
      inosuke gguf 20261122-104500-cpu --type Q8_0
    """
    from train.gguf import build

    content = build.make(persona_file, run, kind, export, say, adapter)
    click.echo(json.dumps(content.to_json(), ensure_ascii=False, allow_nan=False) if as_json else build.table(content))
