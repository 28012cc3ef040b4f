"""The files that a dataset is made from and what is known about each: persona.toml's folders, or one ``--corpus``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from curation.errors import InosukeError
from curation.importers import IMPORTERS
from curation.persona import Corpus, Persona

# Files that users keep beside their data. Every other file without an importer is reported.
_NOT_DATA = {".license", ".gitkeep", ".gitignore", ".ds_store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePath:
    """A file to import: its path, the name that its records carry, and the entry of persona.toml that covers it."""

    path: Path
    name: str
    folder: str
    about: Corpus

    @property
    def held_out(self) -> bool:
        """Whether its rows are held-out prompts, for evaluation only."""
        return self.about.holds_out(self.path.name)


def find(persona: Persona, corpus: Path | None = None) -> tuple[list[SourcePath], list[Path]]:
    """Return the files to import, in a stable order, and the files that have no importer.

    With ``corpus``, only that folder (or file) counts; otherwise the existing folders of persona.toml. Raises
    InosukeError if there is nothing to import.
    """
    if corpus is not None:
        if not corpus.exists():
            raise InosukeError(
                f"{corpus}: no such file or folder. Expected a folder with your rows (for example persona.json, "
                "quotes.json, conversations.json). Check the name after --corpus or CORPUS=."
            )
        places = [(corpus, corpus.name, persona.corpus)]
    else:
        places = [(persona.root / s.path, s.path, s) for s in persona.sources if (persona.root / s.path).exists()]
    found: list[SourcePath] = []
    unknown: list[Path] = []
    for base, label, about in places:
        for path in _walk(base):
            name = label if path == base else f"{label}/{path.relative_to(base).as_posix()}"
            if path.suffix.lower() in IMPORTERS:
                found.append(SourcePath(path=path, name=name, folder=label, about=about))
            elif path.suffix.lower() not in _NOT_DATA and not path.name.startswith("."):
                unknown.append(path)
    if not any(not f.held_out for f in found):
        looked = ", ".join(str(base) for base, _, _ in places) or "the folders of persona.toml (none of them exists)"
        raise InosukeError(
            f"nothing to import in {looked}. Expected files with one of the suffixes {', '.join(sorted(IMPORTERS))}. "
            "Put your rows there or name another folder with --corpus."
        )
    return found, unknown


def _walk(base: Path) -> Iterable[Path]:
    if base.is_file():
        return [base]
    return sorted((p for p in base.rglob("*") if p.is_file()), key=lambda p: p.relative_to(base).as_posix())
