"""An archive of files in any known format. Members are read in memory, never unpacked to disk.

A zip may hold zips, 7z and rar archives, one level deep; all of them together have one limit.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import PureWindowsPath
from typing import NamedTuple, TypeAlias

from curation.errors import InosukeError
from curation.files import natural
from curation.importers.source import progress
from curation.importers.source.source_file import Budget, Importer, SourceFile, from_bytes
from curation.importers.source.tables import check_unpacked
from curation.persona import Persona
from curation.record import Imported, Rejected, Sample, Utterance

MAX_MEMBERS = 10_000
MAX_UNPACKED = 512 * 1024 * 1024
# An archive in an archive is usual (a release of seasons); deeper, it may contain itself.
_DEEPEST = 2
# What operating systems write beside the files.
_SYSTEM = re.compile(r"(?:^|/)(?:__MACOSX/|\._[^/]*$|\.DS_Store$|Thumbs\.db$|desktop\.ini$)")


class Member(NamedTuple):
    """A file in an archive: its name as it is written there, the size that the archive claims, and how to read it.

    ``read`` raises InosukeError where the member cannot be read.
    """

    name: str
    size: int
    read: Callable[[], bytes]


Opener: TypeAlias = Callable[[SourceFile], Iterator[Member]]


def read(file: SourceFile, persona: Persona, read_member: Importer, members: Opener, kind: str) -> Imported:
    """Read each member with ``read_member``; a member that cannot be read is rejected by name.

    Raises InosukeError for a damaged archive, for one that would unpack to more than MAX_UNPACKED bytes and for one
    that lies too deep in others.
    """
    if file.depth >= _DEEPEST:
        raise InosukeError(f"{file.path}: an archive inside an archive inside an archive. Unpack it first.")
    budget = file.budget or Budget(MAX_UNPACKED, MAX_MEMBERS)
    utterances: list[Utterance] = []
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    formats: set[str] = set()
    notes: dict[str, None] = {}
    found_members = sorted(_within(file, members(file), budget), key=lambda m: natural(m.name))
    everything, done = sum(member.size for member in found_members) or 1, 0
    for member in found_members:
        source = file.at(member.name, kind)
        before, done = done, done + member.size
        try:
            with progress.part(before / everything, done / everything):
                found = read_member(_unpacked(file, member, budget), persona)
                progress.tell(1.0)
        except InosukeError as error:
            rejected.append(Rejected(source=source, reason="unreadable_member", text=member.name, detail=str(error)))
            continue
        utterances += found.utterances
        samples += found.samples
        rejected += found.rejected
        formats.add(found.format.partition(" ")[0])
        notes |= dict.fromkeys(found.notes)
    return Imported(
        utterances=tuple(utterances),
        samples=tuple(samples),
        rejected=tuple(rejected),
        format=f"{kind} ({', '.join(sorted(formats)) or 'empty'})",
        notes=tuple(notes),
    )


def zip_members(file: SourceFile) -> Iterator[Member]:
    """Yield the files of a zip. Raises InosukeError for a damaged one."""
    check_unpacked(file, MAX_UNPACKED)
    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        for info in archive.infolist():
            if not info.filename.endswith("/"):  # is_dir() fails for a name that damage made empty
                yield Member(info.filename, info.file_size, lambda info=info: _from_zip(file, info))  # type: ignore[misc]


def _from_zip(file: SourceFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive, archive.open(info) as stream:
            # The size in a zip is only a claim, so the bytes that come out are counted.
            return stream.read(min(info.file_size, MAX_UNPACKED) + 1)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, EOFError) as error:
        raise InosukeError(
            f"{info.filename}: cannot be unpacked ({error}). Pack it again without a password."
        ) from None
    except Exception as error:  # zlib.error, lzma.LZMAError: they share no base class
        raise InosukeError(f"{info.filename}: cannot be unpacked ({error}). Pack it again.") from None


def _within(file: SourceFile, members: Iterator[Member], budget: Budget) -> list[Member]:
    found = []
    for member in members:
        budget.members -= 1
        if budget.members < 0:
            raise InosukeError(f"{file.path}: holds more than {MAX_MEMBERS:,} files; expected at most that. Split it.")
        found.append(member)
    return found


def _unpacked(file: SourceFile, member: Member, budget: Budget) -> SourceFile:
    """Return a member as a file called `archive.zip/member`. Raises InosukeError where it cannot be."""
    name = member.name
    if not is_inside(name):
        raise InosukeError(f"{name}: points outside the archive. Expected relative names; pack it again.")
    plain = PureWindowsPath(name).as_posix()  # some Windows programs write a backslash between folders
    if _SYSTEM.search(plain):
        raise InosukeError(f"{name}: written by the operating system beside the files. It holds no lines.")
    if member.size > budget.bytes:
        raise InosukeError(f"{name}: unpacks to {member.size:,} bytes; expected at most {budget.bytes:,}. Split it.")
    data = member.read()
    budget.bytes -= len(data)
    if len(data) > member.size:
        raise InosukeError(f"{name}: unpacks to more than the archive says. Leave it out.")
    return from_bytes(
        file.path / plain, data, name=f"{file.name}/{plain}", rights=file.rights, depth=file.depth + 1, budget=budget
    )


def is_inside(name: str) -> bool:
    """Return whether a member's name stays below the archive's own folder on every system."""
    path = PureWindowsPath(name)
    return bool(path.parts) and ".." not in path.parts and not path.drive and not path.root
