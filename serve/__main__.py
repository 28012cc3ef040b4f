"""Runs ``inosuke serve`` as ``python -m serve``, for places without the installed command, such as a Space."""

from __future__ import annotations

from functools import partial

from curation.command import run
from serve.commands.serve import serve

if __name__ == "__main__":
    run(partial(serve, prog_name="python -m serve"))
