"""Files become records. A format is one file in ``formats/`` and one row in ``registry.py``.

In: paths. Out: :class:`curation.record.Imported`. Imports the shared ground, ``transcripts`` (speakers'
names; scenes, for the overview of `inosuke import`) and ``cleaning``.
"""

from __future__ import annotations

from pathlib import Path

from curation.errors import InosukeError
from curation.importers.registry import FORMATS, IMPORTERS, UnknownFormat, read_with_format
from curation.importers.source.source_file import Importer, SourceFile, load
from curation.persona import Persona
from curation.record import Imported, Rights

__all__ = ["FORMATS", "IMPORTERS", "Importer", "SourceFile", "UnknownFormat", "load", "read"]


def read(path: str | Path, persona: Persona, *, name: str | None = None, rights: Rights = "unknown") -> Imported:
    """Read one file.

    ``name`` is the path that the records carry (default: the file's own name). Raises UnknownFormat for a file that
    no importer reads, and InosukeError for a file that cannot be read at all; pieces that do not become samples come
    back in ``rejected`` with a reason. Subtitles, manga and scripts come back as ``utterances``: pass those of all
    files to :func:`curation.transcripts.scenes.to_samples`.
    """
    file = load(Path(path), name=name, rights=rights)
    try:
        return read_with_format(file, persona)
    except RecursionError:
        # Whatever the format, a file that nests this deep was made to break its reader.
        raise InosukeError(
            f"{path}: nested too deep. Expected subtitles, a script or rows; leave the file out."
        ) from None
