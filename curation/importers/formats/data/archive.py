"""A zip of files in any known format. Members are read in memory, never unpacked to disk."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePosixPath, PureWindowsPath

from curation.errors import InosukeError
from curation.importers.source.source_file import Importer, SourceFile, from_bytes
from curation.importers.source.tables import check_unpacked
from curation.persona import Persona
from curation.record import Imported, Rejected, Sample, Utterance

MAX_MEMBERS = 10_000
MAX_UNPACKED = 512 * 1024 * 1024


def read(file: SourceFile, persona: Persona, read_member: Importer) -> Imported:
    """Read each member with ``read_member``; a member that cannot be read is rejected by name.

    Raises InosukeError for a damaged zip and for one that would unpack to more than MAX_UNPACKED bytes.
    """
    check_unpacked(file, MAX_UNPACKED)
    utterances: list[Utterance] = []
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    formats: set[str] = set()
    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
        if len(members) > MAX_MEMBERS:
            raise InosukeError(
                f"{file.path}: holds {len(members):,} files; expected at most {MAX_MEMBERS:,}. Split it."
            )
        for member in sorted(members, key=lambda m: m.filename):
            source = file.at(member.filename, "zip")
            try:
                found = read_member(_member(file, archive, member), persona)
            except InosukeError as error:
                rejected.append(
                    Rejected(source=source, reason="unreadable_member", text=member.filename, detail=str(error))
                )
                continue
            utterances += found.utterances
            samples += found.samples
            rejected += found.rejected
            formats.add(found.format.partition(" ")[0])
    return Imported(
        utterances=tuple(utterances),
        samples=tuple(samples),
        rejected=tuple(rejected),
        format=f"zip ({', '.join(sorted(formats)) or 'empty'})",
    )


def _member(file: SourceFile, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> SourceFile:
    """Return a member as a file called `archive.zip/member`. Raises InosukeError where it cannot be."""
    name = member.filename
    parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
    if ".." in parts or PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or "\\" in name:
        raise InosukeError(f"{name}: points outside the archive. Expected relative names; pack it again.")
    try:
        with archive.open(member) as stream:
            # The size in a zip is only a claim, so the bytes that come out are counted.
            data = stream.read(min(member.file_size, MAX_UNPACKED) + 1)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, EOFError) as error:
        raise InosukeError(f"{name}: cannot be unpacked ({error}). Pack it again without a password.") from None
    except Exception as error:  # zlib.error, lzma.LZMAError: they share no base class
        raise InosukeError(f"{name}: cannot be unpacked ({error}). Pack it again.") from None
    if data.startswith(b"PK") and not name.lower().endswith(".xlsx"):
        # Real archives have one level; a malicious zip can contain itself.
        raise InosukeError(f"{name}: an archive inside an archive. Unpack it first.")
    if len(data) > member.file_size:
        raise InosukeError(f"{name}: unpacks to more than the archive says. Leave it out.")
    return from_bytes(file.path / name, data, name=f"{file.name}/{name}", rights=file.rights)
