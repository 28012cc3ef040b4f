"""The records of files, cached under ``datasets/build/imports/`` so that an unchanged file is not parsed again.

Content-addressed: the key hashes the file and its companions, the name and rights of its records, the persona, the code
of the importers and all libraries. A change in any of them gives another key, so stale entries are never read; the
folder may be deleted at any time. The format is JSON, since a pickle from elsewhere could run code.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.importers import fingerprint, registry
from curation.importers.source.source_file import read_bytes
from curation.persona import Persona
from curation.record import Flag, Imported, Rejected, Sample, Source, Utterance, messages_from_json, messages_to_json

_CURATION = Path(__file__).parents[1]


def key(path: Path, data: bytes, name: str, rights: str, persona: Persona) -> str:
    """Return the key of a file's records: 64 hexadecimal digits."""
    digest = hashlib.sha256(f"{_code()}\0{_persona(persona)}\0{name}\0{path.name}\0{rights}\0".encode())
    digest.update(hashlib.sha256(data).digest())
    for companion in registry.companions(path):
        digest.update(hashlib.sha256(read_bytes(companion) if companion.is_file() else b"").digest())
    return digest.hexdigest()


def get(folder: Path, key: str) -> bytes | None:
    """Return the data of a key, or None. A truncated cache file is a miss, not an error."""
    try:
        data = (folder / key[:2] / f"{key}.json").read_bytes()
    except OSError:
        return None
    return data if data.endswith(b"}\n") else None


def put(folder: Path, key: str, data: bytes) -> None:
    """Store the records of a file. Raises InosukeError when the folder cannot be written to."""
    path = folder / key[:2] / f"{key}.json"
    # Not files.write_atomically: that waits for the disk, and a lost entry is only parsed again.
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        raise InosukeError(
            f"{path}: cannot be written ({error.strerror or error}). Free some disk space or change the folder's "
            "permissions; `inosuke import --dry-run` writes nothing."
        ) from None


def encode(found: Imported) -> bytes:
    """Return records as JSON; what all lines of a file share is written once."""
    origins: dict[tuple[str, str, str, str], int] = {}

    def place(source: Source) -> list[Any]:
        origin = (source.path, source.sha256, source.importer, source.rights)
        return [origins.setdefault(origin, len(origins)), source.locator]

    said = [[*place(u.source), u.text, u.speaker, u.evidence, u.start_ms, u.end_ms] for u in found.utterances]
    body = {
        "format": found.format,
        "encoding": found.encoding,
        "notes": found.notes,
        "utterances": said,
        "rejected": [[*place(r.source), r.reason, r.text, r.detail] for r in found.rejected],
        "samples": [
            [*place(s.source), s.id, s.kind, messages_to_json(s.messages), s.language, s.topic,
             [[f.code, f.detail] for f in s.flags]]
            for s in found.samples
        ],
    }  # fmt: skip
    return json.dumps({"origins": list(origins), **body}, separators=(",", ":")).encode() + b"\n"


def decode(data: bytes) -> Imported:
    """Return the records that :func:`encode` wrote."""
    body = json.loads(data)
    origins = body["origins"]

    def source(origin: int, locator: str) -> Source:
        path, sha256, importer, rights = origins[origin]
        return Source(path=path, sha256=sha256, locator=locator, importer=importer, rights=rights)

    return Imported(
        utterances=tuple(
            Utterance(text=text, speaker=who, evidence=how, source=source(o, at), start_ms=a, end_ms=z)
            for o, at, text, who, how, a, z in body["utterances"]
        ),
        samples=tuple(
            Sample(
                id=i,
                kind=kind,
                messages=messages_from_json(messages),
                language=language,
                topic=topic,
                source=source(o, at),
                flags=tuple(Flag(*f) for f in flags),
            )
            for o, at, i, kind, messages, language, topic, flags in body["samples"]
        ),
        rejected=tuple(
            Rejected(source=source(o, at), reason=reason, text=text, detail=detail)
            for o, at, reason, text, detail in body["rejected"]
        ),
        format=body["format"],
        encoding=body["encoding"],
        notes=tuple(body["notes"]),
    )


@lru_cache(maxsize=1)
def _code() -> str:
    """Return a hash of all code that turns a file into records: the shared ground and the stages before dedup."""
    stages = (_CURATION / stage for stage in ("importers", "transcripts", "cleaning"))
    return fingerprint.of_code([*_CURATION.glob("*.py"), *(m for stage in stages for m in stage.rglob("*.py"))])


def _persona(persona: Persona) -> str:
    return hashlib.sha256(persona.model_dump_json(exclude={"root"}).encode()).hexdigest()
