"""What all command lines share: the options that most have, how one starts and how it ends."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import click

from curation.errors import InosukeError

persona_option = click.option(
    "--persona",
    "persona_file",
    type=click.Path(path_type=Path),
    default=Path("persona.toml"),
    show_default=True,
    help="The character's persona.toml; its folder is the project's root.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")


def run(command: Callable[[], object]) -> None:
    """Call ``command``; an error that a person can mend is a sentence and an exit status, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A Windows console's own code page cannot say `Hỏi`.
            stream.reconfigure(encoding="utf-8", errors="replace")
    # On CPUs that multiply bf16, bitsandbytes misses a kernel for repacked weights; nothing here repacks any.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    try:
        command()
    except InosukeError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(error.exit_status)
