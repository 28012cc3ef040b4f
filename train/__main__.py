"""``python -m train`` is ``inosuke train``; ``python -m train merge`` and so on are its neighbours."""

from __future__ import annotations

import io
import sys

import click

from curation.errors import InosukeError
from train import cli

COMMANDS = {"train": cli.train, "evaluate": cli.evaluate, "merge": cli.merge, "gguf": cli.gguf}

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a Windows console's code page has no `ư`
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.argv.insert(1, "train")
    try:
        click.Group("train", commands=COMMANDS)()
    except InosukeError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_status)
