"""Files become records: one file per format, and a registry that chooses among them (:mod:`registry`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from curation.errors import InosukeError
from curation.importers.registry import FORMATS, IMPORTERS, UnknownFormat, choose
from curation.importers.source.source_file import Importer, SourceFile, load
from curation.persona import Persona
from curation.record import Imported, Rights

__all__ = ["FORMATS", "IMPORTERS", "Importer", "SourceFile", "UnknownFormat", "load", "read"]


def read(path: str | Path, persona: Persona, *, name: str | None = None, rights: Rights = "unknown") -> Imported:
    """Read one file.

    ``name`` is the path that the records carry (default: the file's own name). Raises UnknownFormat for a file that
    no importer knows, and InosukeError for a file that cannot be read as a whole; pieces that are no sample come back
    in ``rejected`` with their reason. Subtitles, manga and scripts come back as ``utterances``: hand those of all files
    to :func:`curation.transcripts.scenes.to_samples`.
    """
    file = load(Path(path), name=name, rights=rights)
    try:
        return replace(choose(file, persona), encoding=file.encoding)
    except RecursionError:
        # A format nests its own way; whichever it was, the file was made to break its reader.
        raise InosukeError(
            f"{path}: nested too deep. Expected subtitles, a script or rows; leave the file out."
        ) from None
