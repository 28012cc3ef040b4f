"""7z and rar archives → their members. A rar's own compression needs a program beside Python: unrar, bsdtar or 7z."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import Any

from curation.errors import InosukeError
from curation.importers.formats.data import archive as archives
from curation.importers.formats.data.archive import Member
from curation.importers.source.source_file import SourceFile


def seven_zip_members(file: SourceFile) -> Iterator[Member]:
    """Yield the files of a 7z archive. Raises InosukeError for one that is damaged, too large or has a password.

    Its members are compressed together, so all are unpacked at once.
    """
    import py7zr

    try:
        with py7zr.SevenZipFile(io.BytesIO(file.data)) as opened:
            if opened.needs_password():
                raise InosukeError(f"{file.path}: has a password. Pack it again without one.")
            members = [info for info in opened.list() if not info.is_directory]
            size = sum(info.uncompressed or 0 for info in members)
            if size > archives.MAX_UNPACKED or len(members) > archives.MAX_MEMBERS:
                raise InosukeError(
                    f"{file.path}: unpacks to {size:,} bytes in {len(members):,} files; expected at most "
                    f"{archives.MAX_UNPACKED:,} in {archives.MAX_MEMBERS:,}. Split it."
                )
            held = _unpack(opened, [info.filename for info in members if archives.is_inside(info.filename)])
    except InosukeError:
        raise
    except Exception as error:  # py7zr lets through what its parsers and decompressors raise
        raise _damaged(file, "a 7z archive", error) from None
    for info in members:
        yield Member(info.filename, max(info.uncompressed or 0, 0), partial(_held, held, info.filename))


def _held(held: dict[str, bytes], name: str) -> bytes:
    if name not in held:
        raise InosukeError(f"{name}: cannot be unpacked. Pack it again.")
    return held[name]


def _unpack(opened: Any, names: list[str]) -> dict[str, bytes]:
    """Return the bytes of members by their names, counted as they come: the sizes in an archive are only claims."""
    from py7zr.io import Py7zBytesIO, WriterFactory

    left = archives.MAX_UNPACKED

    class Counted(Py7zBytesIO):  # type: ignore[misc]
        def write(self, s: bytes | bytearray) -> int:
            nonlocal left
            left -= len(s)
            if left < 0:
                raise InosukeError("the archive unpacks to more than it says. Leave it out.")
            written: int = super().write(s)
            return written

    class Sinks(WriterFactory):  # type: ignore[misc]
        def __init__(self) -> None:
            self.opened: dict[str, Counted] = {}

        def create(self, filename: str) -> Counted:
            return self.opened.setdefault(filename, Counted(filename, archives.MAX_UNPACKED))

    sinks = Sinks()
    opened.extract(targets=names, factory=sinks)
    found = {}
    for name, sink in sinks.opened.items():
        sink.seek(0)
        found[name] = sink.read()
    return found


def rar_members(file: SourceFile) -> Iterator[Member]:
    """Yield the files of a rar archive. Raises InosukeError for one that is damaged or has a password."""
    import rarfile

    try:
        opened = rarfile.RarFile(io.BytesIO(file.data))
        if opened.needs_password():
            raise InosukeError(f"{file.path}: has a password. Pack it again without one.")
        members = [info for info in opened.infolist() if info.is_file()]
        packed = any(info.compress_type != rarfile.RAR_M0 for info in members)
        if packed:
            _tool(file)
    except InosukeError:
        raise
    except Exception as error:  # rarfile lets through what its parsers raise (struct.error, ValueError …)
        raise _damaged(file, "a rar archive", error) from None
    if not members:  # rarfile takes what it cannot parse for the end
        raise _damaged(file, "a rar archive", ValueError("it holds no file"))
    for info in members:
        yield Member(str(info.filename), max(int(info.file_size or 0), 0), partial(_from_rar, opened, info))


def _tool(file: SourceFile) -> None:
    """Raise InosukeError where no program is there that unpacks rar's compression."""
    import rarfile

    try:
        rarfile.tool_setup()
    except rarfile.RarCannotExec:
        raise InosukeError(
            f"{file.path}: a rar archive, and no program to unpack it. Install unrar, bsdtar or 7z and try again, or "
            "unpack it and import the folder."
        ) from None


def _from_rar(archive: Any, info: Any) -> bytes:
    try:
        with archive.open(info) as stream:
            data: bytes = stream.read(min(int(info.file_size or 0), archives.MAX_UNPACKED) + 1)
            return data
    except Exception as error:  # rarfile's own errors and those of its parsers
        raise InosukeError(f"{info.filename}: cannot be unpacked ({error}). Pack it again.") from None


def _damaged(file: SourceFile, expected: str, error: Exception) -> InosukeError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return InosukeError(f"{file.path}: cannot be read ({reason}). Expected a whole file, {expected}; pack it again.")
