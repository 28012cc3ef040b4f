"""``manifest.json``: what an export is made of, every file's hash, and the version that follows from both.

An export whose files and figures are what they were when it was written has the version that its folder is named
after; :func:`check` says so, or names the file that somebody changed.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.export.exported_rows import Row, replies
from curation.export.variety import openings
from curation.files import sha256_file, write_atomically
from curation.persona import Persona

NAME = "manifest.json"
CARD = "README.md"
_LIBRARIES = ("datasets", "langdetect", "matplotlib", "pyarrow", "rapidfuzz")
# What does not count towards the version: what it is itself part of, and what says how the same content was written.
_OUTSIDE = ("version", "libraries", "card")
_COUNTED = ("kind", "language", "rights", "importer")

Manifest = dict[str, Any]


def make(folder: Path, rows: Mapping[str, Sequence[Row]], persona: Persona, facts: Mapping[str, Any]) -> Manifest:
    """Return the manifest of the files that are in ``folder`` so far; ``rows`` are the chat rows by side."""
    paths = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    files = {name: sha256_file(folder / name) for name in paths}
    configuration = {
        "dedup_threshold": persona.dedup.threshold,
        "eval_share": persona.split.eval_share,
        "languages": list(persona.languages),
        **facts.get("configuration", {}),  # options of the command, which persona.toml does not hold
    }
    manifest: Manifest = {
        "version": "",
        "persona": {"name": persona.name, "sha256": files["persona.toml"], **persona.card.model_dump()},
        "configuration": configuration,
        "counts": {side: counts(content) for side, content in rows.items()},
        "openings": {
            code: opening.to_json() for code, opening in openings([r for side in rows.values() for r in side]).items()
        },
        **{key: value for key, value in facts.items() if key != "configuration"},
        "libraries": {name: library_version(name) for name in _LIBRARIES},
        "files": files,
    }
    return manifest | {"version": version_of(manifest)}


def facts_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the pipeline said about an export, to say it again about a part of it."""
    own = {"persona", "counts", "openings", "files", *_OUTSIDE}
    return {key: value for key, value in manifest.items() if key not in own}


def version_of(manifest: Mapping[str, Any]) -> str:
    """Return 12 hexadecimal digits over the files and figures of an export (the card only repeats them)."""
    content = {key: value for key, value in manifest.items() if key not in _OUTSIDE}
    content["files"] = {name: digest for name, digest in manifest["files"].items() if name != CARD}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def counts(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the statistics of one side."""
    lengths = [len(reply) for row in rows for reply in replies(row)]
    by = {key: dict(sorted(Counter(str(row[key]) for row in rows).items())) for key in _COUNTED}
    return {
        "samples": len(rows),
        "multi_turn": sum(len(replies(row)) > 1 for row in rows),
        "rewritten": sum(row["revision"] > 0 for row in rows),
        "replies": len(lengths),
        "mean_reply_chars": round(sum(lengths) / len(lengths), 1) if lengths else 0.0,
        **by,
    }


def write(manifest: Manifest, folder: Path) -> None:
    """Write the manifest into its folder."""
    write_atomically(folder / NAME, json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")


def read(folder: Path) -> Manifest:
    """Read a folder's manifest. Raises InosukeError where there is none or it is no manifest."""
    file = folder / NAME
    try:
        manifest: Manifest = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(manifest["files"], dict) or not isinstance(manifest["version"], str):
            raise TypeError
    except FileNotFoundError:
        raise InosukeError(f"{folder}: not an export, it has no {NAME}. Run `inosuke dataset` to write one.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise InosukeError(
            f"{file}: not readable as a manifest. Expected a JSON object with `version` and `files`, as "
            "`inosuke dataset` writes it; run that again."
        ) from None
    return manifest


def check(folder: Path) -> Manifest:
    """Return the manifest of an export that is still as it was written.

    Raises InosukeError that names the first file which is missing or was changed by hand.
    """
    manifest = read(folder)
    for name, digest in manifest["files"].items():
        path = folder / name
        seen = sha256_file(path) if path.is_file() else None
        if seen != digest:
            what = "is missing" if seen is None else f"was changed by hand (SHA-256 {seen[:12]}…, not {digest[:12]}…)"
            raise InosukeError(f"{path}: {what}, so it is not what was reviewed. {_AGAIN}")
    if version_of(manifest) != manifest["version"]:
        raise InosukeError(f"{folder / NAME}: its figures were changed by hand. {_AGAIN}")
    return manifest


_AGAIN = (
    "Run `inosuke dataset` again: it sets the changed folder aside and writes a whole one. To change a line, review it."
)
