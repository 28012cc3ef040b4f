"""``inosuke merge``: parse, merge, print."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.command import json_option, persona_option
from curation.errors import UsageError
from train.progress import say


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option("--weight", "weights", type=float, multiple=True, help="Weight of each of several RUNs. [default: equal]")
@persona_option
@json_option
def merge(runs: tuple[str, ...], weights: tuple[float, ...], persona_file: Path, as_json: bool) -> None:
    """Merge adapters into their 16-bit base; RUN is a run's name, or the newest.

    With several RUNs of one base, the weighted sum of their adapters is merged, and written beside the first.

    \b
    Example:
      inosuke merge 20261122-104500-cpu
      inosuke merge voice english --weight 0.7 --weight 0.3
    """
    from train.gguf.merge_adapter import merge_run, merge_runs

    if len(runs) > 1:
        folder = merge_runs(persona_file, runs, weights, say)
    elif weights:
        raise UsageError("--weight needs several RUNs; name each, with a weight each.")
    else:
        folder = merge_run(persona_file, runs[0] if runs else None, say)
    click.echo(json.dumps({"path": str(folder)}) if as_json else f"Merged model: {folder}")
