"""A file as every importer gets it: its bytes read once, hashed and decoded. Knows no format."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from curation.errors import InosukeError
from curation.importers.source.decode import Undecodable, decode
from curation.persona import Persona
from curation.record import Imported, Rights, Source

# More than any script, season of subtitles or corpus seen; a larger file is a mistake or an attack.
MAX_BYTES = 256 * 1024 * 1024
# How containers begin: zip (and xlsx), Parquet, Arrow (stream and file), the old Excel. They are not decoded.
CONTAINERS = (b"PK\x03\x04", b"PK\x05\x06", b"PAR1", b"\xff\xff\xff\xff", b"ARROW1", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """``name`` is the path the records carry, with forward slashes; ``text`` is decoded, with ``\\n`` line ends.

    A container (zip, xlsx, Parquet, Arrow) has an empty ``text`` and the encoding ``binary``.
    """

    path: Path
    name: str
    data: bytes
    text: str
    encoding: str
    sha256: str
    rights: Rights

    def at(self, locator: str, importer: str) -> Source:
        """Return the provenance of one place in this file."""
        return Source(path=self.name, sha256=self.sha256, locator=locator, importer=importer, rights=self.rights)


# What a format is to the rest: the records of a file, for a character.
Importer = Callable[[SourceFile, Persona], Imported]


def load(path: Path, *, name: str | None = None, rights: Rights = "unknown") -> SourceFile:
    """Read, hash and decode a file. Raises InosukeError if it is missing, unreadable, too large or not text."""
    return from_bytes(path, read_bytes(path), name=name, rights=rights)


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes. Raises InosukeError if it is missing, unreadable or larger than MAX_BYTES."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)  # not stat(): a pipe or /dev/zero has no size
    except OSError as error:
        raise InosukeError(
            f"{path}: cannot be read ({error.strerror}). Expected a readable file; check its name and permissions."
        ) from None
    if len(data) > MAX_BYTES:
        raise InosukeError(f"{path}: more than {MAX_BYTES:,} bytes; expected at most that. Split the file.")
    return data


def from_bytes(path: Path, data: bytes, *, name: str | None = None, rights: Rights = "unknown") -> SourceFile:
    """Hash and decode bytes that are already here, such as a zip's member. Raises InosukeError if they are no text."""
    try:
        text, encoding = ("", "binary") if data.startswith(CONTAINERS) else decode(data)
    except Undecodable as error:
        raise InosukeError(f"{path}: {error}.") from None
    return SourceFile(
        path=path,
        name=name or path.name,
        data=data,
        text=text,
        encoding=encoding,
        sha256=hashlib.sha256(data).hexdigest(),
        rights=rights,
    )
