"""Add a source folder to persona.toml: one table more, every other byte of the file as it was."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path

from pydantic import ValidationError

from curation.errors import InosukeError, UsageError
from curation.files import write_atomically
from curation.folders import Folders
from curation.persona import Persona, SourceFolder, load_persona
from curation.record import Rights

_TABLE = re.compile(r"[ \t]*\[")
_SOURCES = re.compile(r"[ \t]*\[\[\s*sources\s*\]\]")


def add_source(persona_file: Path, folder: Path, rights: Rights, trusted: bool) -> SourceFolder:
    """Write a [[sources]] entry for a folder and return it; its path is relative to persona.toml.

    Raises UsageError for a folder that does not exist, that is an entry already, or that lies inside or around one.
    """
    persona = load_persona(persona_file)
    _check(persona, folder)
    entry = SourceFolder(path=_relative(folder, persona.root), rights=rights, trusted=trusted)
    with Folders(persona.root).locked():
        data = persona_file.read_bytes()
        text = data.decode("utf-8")
        for changed in (_after_the_last(text, entry), _at_the_end(text, entry)):
            if _holds(changed, persona, entry):
                write_atomically(persona_file.resolve(), changed)
                return entry
    raise UsageError(
        f"{persona_file}: writes `sources` in a way that an entry cannot be added to. Expected tables that begin with "
        f"[[sources]]. Add this entry yourself: {' '.join(_lines(entry)[1:])}"
    )


def _check(persona: Persona, folder: Path) -> None:
    if not folder.exists():
        raise UsageError(f"{folder}: no such folder. Expected a folder with transcripts or rows; check its name.")
    if not folder.is_dir():
        raise UsageError(f"{folder}: a file, not a folder. Put it into a folder of its own and add that.")
    wanted = folder.resolve()
    for source in persona.sources:
        known = (persona.root / source.path).resolve()
        if wanted == known:
            raise UsageError(
                f"{folder}: is an entry of persona.toml already (rights {source.rights}). Edit that entry to change it."
            )
        if wanted.is_relative_to(known) or known.is_relative_to(wanted):
            side = "inside" if wanted.is_relative_to(known) else "around"
            raise UsageError(
                f"{folder}: lies {side} the source folder {source.path}, so its files would be read twice. "
                "Add a folder beside it, or change that entry."
            )
    folders = Folders(persona.root.resolve())
    for made in (folders.imports.parent, folders.export, folders.quarantine.parent):
        if wanted.is_relative_to(made) or made.is_relative_to(wanted):
            raise UsageError(
                f"{folder}: holds what the project writes itself ({made.relative_to(folders.root)}). "
                "Add a folder that holds only your sources."
            )


def _relative(folder: Path, root: Path) -> str:
    try:
        path = Path(os.path.relpath(folder.resolve(), root.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        path = folder.resolve().as_posix()
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise InosukeError(f"{folder!r}: its name is not valid UTF-8. Rename the folder.") from None
    return path


def _lines(entry: SourceFolder) -> list[str]:
    # A JSON string is a TOML string, but for the delete character.
    path = json.dumps(entry.path, ensure_ascii=False).replace("\x7f", "\\u007f")
    return ["[[sources]]", f"path = {path}", f'rights = "{entry.rights}"', *(["trusted = true"] * entry.trusted)]


def _end_of_line(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _after_the_last(text: str, entry: SourceFolder) -> str:
    """Insert the entry after the last [[sources]] table, before the comments of the table that follows."""
    lines = text.splitlines(keepends=True)
    last = max((n for n, line in enumerate(lines) if _SOURCES.match(line)), default=None)
    if last is None:
        return _at_the_end(text, entry)
    following = next((n for n in range(last + 1, len(lines)) if _TABLE.match(lines[n])), len(lines))
    while following > last + 1 and (not lines[following - 1].strip() or lines[following - 1].lstrip().startswith("#")):
        following -= 1
    before, after = "".join(lines[:following]), "".join(lines[following:])
    end = _end_of_line(text)
    before += "" if before.endswith("\n") else end
    return before + end + "".join(line + end for line in _lines(entry)) + after


def _at_the_end(text: str, entry: SourceFolder) -> str:
    end = _end_of_line(text)
    return text + ("" if text.endswith("\n") else end) + end + "".join(line + end for line in _lines(entry))


def _holds(text: str, before: Persona, entry: SourceFolder) -> bool:
    """Return whether the changed file says what it said before and has the entry as its last source folder."""
    try:
        found = Persona(root=before.root, **tomllib.loads(text.removeprefix("\ufeff")))
    except (tomllib.TOMLDecodeError, ValidationError):
        return False
    # By what is written: `before` also has its lorebook, which is another file.
    return found.model_dump() == before.model_copy(update={"sources": (*before.sources, entry)}).model_dump()
