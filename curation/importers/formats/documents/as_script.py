"""The paragraphs of a document → Imported, by the reader of scripts; and the parts of a zipped document."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from curation.errors import InosukeError
from curation.importers.formats.scripts import prose
from curation.importers.formats.scripts.rows import Row
from curation.importers.formats.scripts.script import read_rows
from curation.importers.source.source_file import SourceFile
from curation.importers.source.tables import check_unpacked
from curation.persona import Persona
from curation.record import Imported, Rejected

# What a document may unpack to. A long novel with its pictures is a tenth of it.
MAX_UNPACKED = 256 * 1024 * 1024


def read_document(
    file: SourceFile,
    rows: Sequence[Row],
    persona: Persona,
    importer: str,
    rejected: Sequence[Rejected] = (),
    *,
    wrapped: bool = False,
) -> Imported:
    """Read the rows of a document. Raises InosukeError where too few of them name a speaker.

    ``wrapped``: a row is a printed line, so a paragraph goes on in the next one.
    """
    found = read_rows(file, rows, persona, importer, rejected, wrapped=wrapped)
    if found is None:
        text = "\n".join(row.text for row in rows)
        raise InosukeError(
            f"{file.path}: no script lines; {prose.looks_like(text)}. Expected a document with lines such as "
            "`Name: words`; write the names before the lines, or leave the file out."
        )
    return found


class Parts:
    """The members of a zipped document, read in memory, each no larger than the archive says."""

    def __init__(self, file: SourceFile, what: str) -> None:
        """Open the archive. Raises InosukeError for a damaged one and one that unpacks to too much."""
        check_unpacked(file, MAX_UNPACKED)
        self._file, self._what = file, what
        self._archive = zipfile.ZipFile(io.BytesIO(file.data))
        self.names = frozenset(self._archive.namelist())

    def read(self, name: str) -> bytes:
        """Return a member's bytes. Raises InosukeError where it is missing, damaged or encrypted."""
        try:
            info = self._archive.getinfo(name)
            archive = self._archive
            with archive.open(info) as stream:
                data = stream.read(info.file_size + 1)
        except KeyError:
            raise self.damaged(f"holds no {name}") from None
        except Exception as error:  # zlib.error, lzma.LZMAError, RuntimeError for a password: no common base class
            raise self.damaged(f"{name} cannot be unpacked ({error})") from None
        if len(data) > info.file_size:
            raise self.damaged(f"{name} unpacks to more than the archive says")
        return data

    def damaged(self, why: str) -> InosukeError:
        """Return the error for a document that cannot be read."""
        return InosukeError(
            f"{self._file.path}: {why[:300]}. Expected a whole {self._what} without a password; save it again."
        )
