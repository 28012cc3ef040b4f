"""The manifest of an export: its figures, every file's hash, and the version that follows from both.

The folder of an export is named after the version. :func:`check` recomputes both and names the file that was changed by
hand.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any

from curation.contracts.manifest import MANIFEST, ExportPersona, Manifest, PreferenceFacts, Side, check_files
from curation.contracts.rows import ChatRow
from curation.errors import InosukeError
from curation.export import terms, trainers
from curation.export.citation import CITATION
from curation.export.croissant import CROISSANT
from curation.export.exported_rows import Rows, replies
from curation.export.variety import frequent_openings, openings
from curation.files import sha256_file
from curation.persona import Persona

CARD = "README.md"
# They repeat the figures, and name the version and the repository: so they are not part of the version.
DESCRIPTIONS = (CARD, CITATION, CROISSANT)
_LIBRARIES = ("datasets", "langdetect", "matplotlib", "pyarrow", "rapidfuzz", "wordfreq")
# Not part of the version: the version itself, and what only describes how the same content was written.
_OUTSIDE = ("version", "libraries", "card")


def make(folder: Path, rows: Rows, persona: Persona, facts: Manifest) -> Manifest:
    """Return the manifest of the files in ``folder``, with their hashes and the version.

    ``rows`` are what the files hold. ``facts`` describe the build and the review; the fields that follow from the
    files, the rows and the persona are filled in.
    """
    paths = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    files = {name: sha256_file(folder / name) for name in paths}
    configuration = {
        "dedup_threshold": persona.dedup.threshold,
        "eval_share": persona.split.eval_share,
        "languages": list(persona.languages),
        **facts.configuration,  # options of the command, which persona.toml does not hold
    }
    filled = facts.model_copy(
        update={
            "persona": ExportPersona(
                name=persona.name,
                sha256=files["persona.toml"],
                owners=persona.card.owners,
                system_prompts=persona.system_prompts,
            ),
            "configuration": configuration,
            "sources": terms.by_source(rows.samples, persona, facts.configuration.get("corpus")),
            "counts": {side: counts(content) for side, content in rows.chat.items()},
            "openings": _openings(rows.samples),
            **_preferences(rows, facts),
            "trainers": trainers.facts(rows.chat, rows.instruct, persona.dedup.template_prompts),
            "libraries": {name: library_version(name) for name in _LIBRARIES},
            "files": files,
        }
    )
    return with_version(filled)


def with_version(manifest: Manifest) -> Manifest:
    """Return the manifest with the version that follows from its content."""
    return manifest.model_copy(update={"version": version_of(manifest)})


def version_of(manifest: Manifest) -> str:
    """Return 12 hexadecimal digits over the files and figures of an export, without what repeats them."""
    content = {key: value for key, value in manifest.to_json().items() if key not in _OUTSIDE}
    content["files"] = {name: digest for name, digest in manifest.files.items() if name not in DESCRIPTIONS}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def _openings(rows: Sequence[ChatRow]) -> dict[str, dict[str, Any]]:
    """Return the most frequent two words of each language, and beside them the most frequent first word."""
    first = frequent_openings(rows, 1)
    return {
        code: opening.to_json() | {"first_word": first[code][0].to_json()} for code, opening in openings(rows).items()
    }


def _preferences(rows: Rows, facts: Manifest) -> dict[str, PreferenceFacts]:
    """Return the figures of the optional configurations; nothing where there is none and none was set aside."""
    pairs = [row for side in rows.preferences.values() for row in side]
    about = PreferenceFacts(
        pairs={side: len(content) for side, content in rows.preferences.items() if content},
        labels={side: len(content) for side, content in rows.labels.items() if content},
        origins=dict(Counter(row["origin"] for row in pairs).most_common()),
        set_aside=facts.preferences.set_aside,
    )
    return {"preferences": about} if about.pairs or about.labels or about.set_aside else {}


def counts(rows: Sequence[ChatRow]) -> Side:
    """Return the statistics of one side."""
    lengths = [len(reply) for row in rows for reply in replies(row)]

    def by(values: Sequence[str | None]) -> dict[str, int]:
        return dict(sorted(Counter(map(str, values)).items()))

    return Side(
        samples=len(rows),
        multi_turn=sum(len(replies(row)) > 1 for row in rows),
        rewritten=sum(row["revision"] > 0 for row in rows),
        replies=len(lengths),
        mean_reply_chars=round(sum(lengths) / len(lengths), 1) if lengths else 0.0,
        kind=by([row["kind"] for row in rows]),
        language=by([row["language"] for row in rows]),
        rights=by([row["rights"] for row in rows]),
        importer=by([row["importer"] for row in rows]),
    )


def with_card(manifest: Manifest, folder: Path) -> Manifest:
    """Return the manifest with the hashes of the card and the other descriptions that are in ``folder``."""
    hashes = {name: sha256_file(folder / name) for name in DESCRIPTIONS if (folder / name).is_file()}
    return manifest.model_copy(update={"files": {**manifest.files, **hashes}})


def check(folder: Path) -> Manifest:
    """Return the manifest of an export that is still as it was written.

    Raises InosukeError that names the first file that is missing or was changed by hand.
    """
    manifest = check_files(folder)
    if version_of(manifest) != manifest.version:
        raise InosukeError(
            f"{folder / MANIFEST}: its figures were changed by hand. Run `inosuke dataset` again: it backs up the "
            "changed folder and writes a new one. To change a line, review it."
        )
    return manifest
