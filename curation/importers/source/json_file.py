"""JSON from outside the project: clear errors, bounded depth."""

from __future__ import annotations

import json
from typing import Any

from curation.errors import InosukeError
from curation.importers.source.source_file import SourceFile


def parse(file: SourceFile) -> Any:
    """Return the file's value. Raises InosukeError for a file that is not JSON or nests too deep."""
    try:
        return json.loads(file.text)
    except RecursionError:
        raise InosukeError(f"{file.path}: nested too deep. Expected rows or pages; leave the file out.") from None
    except ValueError as error:
        raise InosukeError(
            f"{file.path}: not valid JSON ({error}). Expected a whole file; fix that place and try again."
        ) from None
