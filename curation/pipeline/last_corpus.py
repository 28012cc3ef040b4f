"""Remember which corpus a dataset was built from, so that the next build is made from the same one.

``datasets/corpus.json`` holds its path. It is not in git: a path belongs to one machine. Without it, the folders of
persona.toml count.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from curation.contracts.manifest import read_manifest
from curation.errors import InosukeError, UsageError
from curation.files import write_atomically
from curation.folders import Folders
from curation.newest import newest_export


class _Remembered(BaseModel):
    """The content of ``corpus.json``. ``path`` is relative to the project's root, or absolute on another drive."""

    model_config = ConfigDict(extra="allow")

    path: str


def choose(folders: Folders, named: Path | None, starter: bool) -> Path | None:
    """Return the corpus to build from, or None for the folders of persona.toml.

    ``named`` is the one on the command line, ``starter`` that the user wants persona.toml's folders. Otherwise it is
    that of the last build. Raises UsageError for both at once, and where the last one is not there any more.
    """
    if named is not None and starter:
        raise UsageError(
            "--corpus names a folder to build from, and --starter wants those of persona.toml. Give one of them."
        )
    if named is not None or starter:
        return named
    corpus = last(folders)
    if corpus is not None and not corpus.exists():
        raise UsageError(
            f"{corpus}: the last build was made from this corpus, and it is not there any more. Name the folder with "
            "--corpus (make dataset CORPUS=…), or build from the folders of persona.toml with --starter "
            "(make dataset STARTER=1)."
        )
    return corpus


def last(folders: Folders) -> Path | None:
    """Return the corpus of the last build, or None where it was made from persona.toml's folders."""
    try:
        content = _Remembered.model_validate_json(folders.corpus.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise InosukeError(
            f"{folders.corpus}: damaged, so it is not known which corpus the last build was made from. Name it with "
            "--corpus, or build from the folders of persona.toml with --starter; either writes the file again."
        ) from None
    return Path(os.path.normpath(folders.root / content.path))


def remember(folders: Folders, corpus: Path | None) -> None:
    """Keep the corpus of a build for the next one; None forgets it."""
    if corpus is None:
        folders.corpus.unlink(missing_ok=True)
        return
    try:
        path = Path(os.path.relpath(corpus.resolve(), folders.root.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        path = corpus.resolve().as_posix()
    text = json.dumps({"path": path}, ensure_ascii=False) + "\n"
    if not folders.corpus.is_file() or folders.corpus.read_text(encoding="utf-8") != text:
        write_atomically(folders.corpus, text)


def unremembered(folders: Folders) -> str | None:
    """Return the name of the corpus that the newest export was built from, where its path was not kept.

    Versions before this one did not keep it.
    """
    if folders.corpus.exists():
        return None
    try:
        name = read_manifest(newest_export(folders.export)).configuration.get("corpus")
    except InosukeError:  # there is no export, or a damaged one: the build reports what matters of it
        return None
    return str(name) if name else None
