"""What every command line shares: common options, and how a command starts and ends."""

from __future__ import annotations

import importlib
import io
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from curation.errors import InosukeError, is_out_of_memory

persona_option = click.option(
    "--persona",
    "persona_file",
    type=click.Path(path_type=Path),
    default=Path("persona.toml"),
    show_default=True,
    help="The character's persona.toml; its folder is the project's root.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")


def load_command(places: Mapping[str, str], name: str) -> click.Command | None:
    """Import the command of this name from its place, ``module:attribute``; None for a name that is not known."""
    if name not in places:
        return None
    module, _, attribute = places[name].partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    return command


def run(command: Callable[[], object]) -> None:
    """Call ``command``; an InosukeError, and running out of memory, become a message and a status, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # The default code page of a Windows console cannot encode `Hỏi`.
            stream.reconfigure(encoding="utf-8", errors="replace")
    # On CPUs with bf16 units bitsandbytes warns about a missing kernel for repacked weights, which are not used here.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    try:
        command()
    except InosukeError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(error.exit_status)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        # Wherever it happens: a traceback would only name the place that was the last to ask.
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        sys.stderr.write(f"Error: out of memory ({first}). Close other programs that use the memory and try again.\n")
        sys.exit(1)
