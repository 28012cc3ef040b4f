"""Has anything changed since the last build? Compares hashes of everything that goes in and of what came out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curation import fingerprint
from curation.build.sources import SourcePath
from curation.errors import InosukeError
from curation.files import sha256_file, write_atomically
from curation.folders import Folders


def inputs(files: Sequence[SourcePath], persona_file: Path, *options: object) -> str:
    """Return one hash over the sources, the persona, the command's options, this code and its libraries.

    The log and the split's memory are added when comparing.
    """
    digest = hashlib.sha256(repr(options).encode())
    for source in files:
        try:
            digest.update(f"{source.name}\0{sha256_file(source.path)}\0".encode())
        except OSError as error:  # import reports the file; here it only has to count as a change
            digest.update(f"{source.name}\0{error.strerror}\0".encode())
    digest.update(persona_file.read_bytes())
    digest.update(fingerprint.of_curation().encode())
    return digest.hexdigest()


def unchanged(folders: Folders, inputs: str) -> dict[str, Any] | None:
    """Return the last report if the same inputs and the same log made it and every output is still as it was."""
    try:
        saved = json.loads(folders.stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if saved.get("inputs") != _with_log(folders, inputs):
        return None
    for name, digest in saved["outputs"].items():
        path = folders.root / name
        if not path.is_file() or sha256_file(path) != digest:
            return None
    report: dict[str, Any] = saved["report"]
    return report


def save(folders: Folders, inputs: str, report: Mapping[str, Any]) -> None:
    """Write the stamp, after everything else has been written."""
    outputs = [folders.queue, folders.quarantine]
    if report["path"]:
        outputs += [folders.export / "latest", *(p for p in Path(report["path"]).rglob("*") if p.is_file())]
    hashes = {path.relative_to(folders.root).as_posix(): sha256_file(path) for path in sorted(outputs)}
    body = {"inputs": _with_log(folders, inputs), "outputs": hashes, "report": report}
    write_atomically(folders.stamp, json.dumps(body, ensure_ascii=False, indent=1) + "\n")


def _with_log(folders: Folders, inputs: str) -> str:
    """Add the log and the split's memory, which a build may change itself: they count as they are afterwards."""
    digests = [inputs]
    for path in (folders.log, folders.split):
        try:
            digests.append(sha256_file(path))
        except FileNotFoundError:
            digests.append("none")
        except OSError as error:
            raise InosukeError(f"{path}: cannot be read ({error.strerror}). Mend its permissions.") from None
    return " ".join(digests)
