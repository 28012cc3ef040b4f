"""``python -m train`` is ``inosuke train``; ``python -m train merge`` is ``inosuke merge``, and so on."""

from __future__ import annotations

import sys

import click

from curation.command import run
from train.commands import evaluate, gguf, merge, train

COMMANDS = {"train": train.train, "evaluate": evaluate.evaluate, "merge": merge.merge, "gguf": gguf.gguf}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.argv.insert(1, "train")
    run(click.Group("train", commands=COMMANDS))
