"""One file per format, and the registry that chooses among them: ``{suffix: importer}``.

To add a format, write ``curation/importers/<format>.py`` with a function ``(SourceFile, Persona) -> Imported`` and put
its suffixes into :data:`IMPORTERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from curation.errors import InosukeError
from curation.importers import rows
from curation.importers.source_file import SourceFile, load
from curation.persona import Persona
from curation.record import Imported, Rights

Importer = Callable[[SourceFile, Persona], Imported]

IMPORTERS: dict[str, Importer] = {
    ".json": rows.read_json,
    ".jsonl": rows.read_jsonl,
}


class UnknownFormat(InosukeError):
    """No importer knows this file."""


def read(path: str | Path, persona: Persona, *, name: str | None = None, rights: Rights = "unknown") -> Imported:
    """Read one file.

    ``name`` is the path that the records carry (default: the file's own name). Raises UnknownFormat for a suffix that
    no importer knows, and InosukeError for a file that cannot be read as a whole; pieces that are no sample come back
    in ``rejected`` with their reason.
    """
    path = Path(path)
    importer = IMPORTERS.get(path.suffix.lower())
    if importer is None:
        raise UnknownFormat(
            f"{path}: no importer for {path.suffix or 'a file without suffix'}. "
            f"Known: {', '.join(sorted(IMPORTERS))}. Convert the file or leave it out."
        )
    file = load(path, name=name, rights=rights)
    return replace(importer(file, persona), encoding=file.encoding)
