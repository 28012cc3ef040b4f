"""``python -m train`` is ``inosuke train``; ``python -m train merge`` and so on are its neighbours."""

from __future__ import annotations

import sys

import click

from curation.command import run
from train import cli

COMMANDS = {"train": cli.train, "evaluate": cli.evaluate, "merge": cli.merge, "gguf": cli.gguf}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.argv.insert(1, "train")
    run(click.Group("train", commands=COMMANDS))
