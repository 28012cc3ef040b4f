"""Skip a build when nothing has changed: compare the hashes of all inputs and outputs with those of the last build.

The hashes of the last build and its report are in ``datasets/build/stamp.json``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from curation.errors import InosukeError
from curation.files import sha256_file, write_atomically
from curation.folders import Folders
from curation.importers import fingerprint
from curation.newest import LATEST
from curation.pipeline.report import Report
from curation.pipeline.sources import SourcePath


class _Stamp(BaseModel):
    """What the last build was made from, the SHA-256 of each file that it wrote, and its report."""

    inputs: str
    outputs: dict[str, str]
    report: Report


def inputs(files: Sequence[SourcePath], persona_file: Path, *options: object) -> str:
    """Return one hash over the sources, the persona, the command's options, this code and its libraries.

    It does not cover the review log, the audits, the choices and ``split.jsonl``: a build may change some of them.
    :func:`unchanged` and :func:`save` add their hashes.
    """
    digest = hashlib.sha256(repr(options).encode())
    for source in files:
        try:
            digest.update(f"{source.name}\0{sha256_file(source.path)}\0".encode())
        except OSError as error:  # import reports the file; here the error only has to count as a change
            digest.update(f"{source.name}\0{error.strerror}\0".encode())
    digest.update(persona_file.read_bytes())
    digest.update(fingerprint.of_curation().encode())
    return digest.hexdigest()


def unchanged(folders: Folders, inputs: str) -> Report | None:
    """Return the last report if it had the same inputs and the same log, and every output is still as it was.

    A missing or damaged stamp counts as a change.
    """
    try:
        stamp = _Stamp.model_validate_json(folders.stamp.read_bytes())
    except (OSError, ValidationError):
        return None
    if stamp.inputs != _with_log(folders, inputs):
        return None
    for name, digest in stamp.outputs.items():
        path = folders.root / name
        if not path.is_file() or sha256_file(path) != digest:
            return None
    return stamp.report


def save(folders: Folders, inputs: str, report: Report) -> None:
    """Write the stamp. Call this last, after all outputs have been written."""
    outputs = [folders.queue, folders.quarantine]
    if report.path:
        outputs += [folders.export / LATEST, *(p for p in Path(report.path).rglob("*") if p.is_file())]
    hashes = {path.relative_to(folders.root).as_posix(): sha256_file(path) for path in sorted(outputs)}
    body = {"inputs": _with_log(folders, inputs), "outputs": hashes, "report": report.to_json()}
    write_atomically(folders.stamp, json.dumps(body, ensure_ascii=False, indent=1) + "\n")


def _with_log(folders: Folders, inputs: str) -> str:
    """Add the hashes of the review log, ``split.jsonl`` and the audits, as they are after a build."""
    digests = [inputs]
    for path in (folders.log, folders.split, folders.audits, folders.choices):
        try:
            digests.append(sha256_file(path))
        except FileNotFoundError:
            digests.append("none")
        except OSError as error:
            raise InosukeError(f"{path}: cannot be read ({error.strerror}). Fix its permissions.") from None
    return " ".join(digests)
