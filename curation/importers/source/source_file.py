"""A file as every importer gets it: its bytes, read once, with their hash and their text. Knows no format."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from curation.errors import InosukeError
from curation.importers.source.decode import Undecodable, decode, repaired_lines
from curation.persona import Persona
from curation.record import Imported, Rights, Source

# More than any script, season of subtitles or corpus seen; a larger file is a mistake or an attack.
MAX_BYTES = 256 * 1024 * 1024


@dataclass(slots=True)
class Budget:
    """What an archive and the archives in it may still unpack to, all together."""

    bytes: int
    members: int


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One file. ``name`` is the path that its records carry, with forward slashes.

    ``text`` (with ``\\n`` line ends) and ``encoding`` are decoded when they are first asked for: a zip or a Parquet
    file has none. ``depth`` is how many archives the file lies in, ``budget`` what these may still unpack to.
    """

    path: Path
    name: str
    data: bytes
    sha256: str
    rights: Rights
    depth: int = 0
    budget: Budget | None = None

    @property
    def text(self) -> str:
        """The decoded text. Raises InosukeError for a file that is not text."""
        return self._decoded[0]

    @property
    def encoding(self) -> str:
        """The encoding that the text was decoded from. Raises InosukeError for a file that is not text."""
        return self._decoded[1]

    @cached_property
    def _decoded(self) -> tuple[str, str]:
        try:
            return decode(self.data)
        except Undecodable as error:
            raise InosukeError(f"{self.path}: {error}.") from None

    @cached_property
    def repaired_lines(self) -> list[tuple[str, str]]:
        """The few lines in which letters were repaired, as found and as they read now."""
        known = "_decoded" in self.__dict__ and "mojibake" not in self.encoding
        return [] if known else repaired_lines(self.data)

    def at(self, locator: str, importer: str) -> Source:
        """Return the provenance of one place in this file."""
        return Source(path=self.name, sha256=self.sha256, locator=locator, importer=importer, rights=self.rights)


# A format, as the registry sees it: reads a file's records for a persona.
Importer = Callable[[SourceFile, Persona], Imported]


def load(
    path: Path, *, name: str | None = None, rights: Rights = "unknown", max_bytes: int | None = None
) -> SourceFile:
    """Read and hash a file. Raises InosukeError if it is missing, unreadable or larger than ``max_bytes``."""
    return from_bytes(path, read_bytes(path, max_bytes), name=name, rights=rights)


def read_bytes(path: Path, max_bytes: int | None = None) -> bytes:
    """Return a file's bytes. Raises InosukeError if it is missing, unreadable or too large (default: MAX_BYTES)."""
    most = MAX_BYTES if max_bytes is None else max_bytes
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)  # not stat(): a pipe or /dev/zero has no size
    except OSError as error:
        raise InosukeError(
            f"{path}: cannot be read ({error.strerror}). Expected a readable file; check its name and permissions."
        ) from None
    if len(data) > most:
        raise InosukeError(f"{path}: more than {most:,} bytes; expected at most that. Split the file.")
    return data


def from_bytes(
    path: Path,
    data: bytes,
    *,
    name: str | None = None,
    rights: Rights = "unknown",
    depth: int = 0,
    budget: Budget | None = None,
) -> SourceFile:
    """Return bytes that were read already, such as a zip's member, as a file."""
    digest = hashlib.sha256(data).hexdigest()
    return SourceFile(
        path=path, name=name or path.name, data=data, sha256=digest, rights=rights, depth=depth, budget=budget
    )
