"""``python -m train`` is ``inosuke train``; ``python -m train merge`` and so on are its neighbours."""

from __future__ import annotations

import sys

import click

from curation.command import run
from train.commands import train

COMMANDS = {"train": train.train, "evaluate": train.evaluate, "merge": train.merge, "gguf": train.gguf}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.argv.insert(1, "train")
    run(click.Group("train", commands=COMMANDS))
