"""``python -m serve`` is ``inosuke serve`` for a place without the installed command, such as a Space."""

from __future__ import annotations

import sys

from curation.errors import InosukeError
from serve.cli import serve

try:
    serve(prog_name="python -m serve")
except InosukeError as error:
    sys.stderr.write(f"Error: {error}\n")
    sys.exit(error.exit_status)
