"""A file as every importer gets it: its bytes read once, hashed and decoded. Knows no format."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from curation.errors import InosukeError
from curation.record import Rights, Source

# More than any script, season of subtitles or corpus seen; a larger file is a mistake or an attack.
MAX_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SourceFile:
    """``name`` is the path the records carry, with forward slashes; ``text`` is decoded, with ``\\n`` line ends."""

    path: Path
    name: str
    data: bytes
    text: str
    encoding: str
    sha256: str
    rights: Rights

    def at(self, locator: str, importer: str) -> Source:
        """Return the provenance of one place in this file."""
        return Source(self.name, self.sha256, locator, importer, self.rights)


def load(path: Path, *, name: str | None = None, rights: Rights = "unknown") -> SourceFile:
    """Read, hash and decode a file. Raises InosukeError if it is missing, unreadable, too large or not text."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InosukeError(f"{path}: {size:,} bytes; expected at most {MAX_BYTES:,}. Split the file.")
        data = path.read_bytes()
    except OSError as error:
        raise InosukeError(
            f"{path}: cannot be read ({error.strerror}). Expected a readable file; check its name and permissions."
        ) from None
    text, encoding = _decode(path, data)
    sha256 = hashlib.sha256(data).hexdigest()
    return SourceFile(path, name or path.name, data, text.replace("\r\n", "\n"), encoding, sha256, rights)


def _decode(path: Path, data: bytes) -> tuple[str, str]:
    for encoding in ("utf-8-sig", "utf-16") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return data.decode(encoding), encoding.removesuffix("-sig")
        except UnicodeDecodeError as error:
            failed = error
    raise InosukeError(
        f"{path}: byte {failed.start} ({data[failed.start]:#04x}) is not UTF-8. "
        "Expected UTF-8 text; save the file as UTF-8 and try again."
    )
