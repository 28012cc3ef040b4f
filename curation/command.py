"""How a command line starts and ends, whichever module it was called by."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable

from curation.errors import InosukeError


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
