"""The files that a dataset is made from and what is known about each: persona.toml's folders, or one ``--corpus``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curation.errors import InosukeError
from curation.importers import IMPORTERS
from curation.importers.no_lines import kind_without_lines
from curation.importers.together import walk
from curation.persona import Corpus, Persona


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


@dataclass(frozen=True, slots=True)
class Voucher:
    """Who vouches for a sample: the author, the folder, and whether it was cut from a transcript."""

    author: str
    folder: str
    cut: bool = False


def find(persona: Persona, corpus: Path | None = None) -> tuple[list[SourcePath], list[Path]]:
    """Return the files to import, in the order of the episodes, and the files that have no importer.

    With ``corpus``, only that folder (or file) counts; otherwise the existing folders of persona.toml. Raises
    InosukeError if there is nothing to import.
    """
    if corpus is not None:
        if not corpus.exists():
            raise InosukeError(
                f"{corpus}: no such file or folder. Expected a folder with your rows (for example persona.json, "
                "quotes.json, conversations.json). Check the name after --corpus or CORPUS=."
            )
        places = [(corpus, corpus.resolve().name, persona.corpus)]  # `.` and `..` have no name of their own
    else:
        places = [(persona.root / s.path, s.path, s) for s in persona.sources if (persona.root / s.path).exists()]
    found: list[SourcePath] = []
    unknown: list[Path] = []
    for base, label, about in places:
        for path in [base] if base.is_file() else walk(base):
            name = label if path == base else f"{label}/{path.relative_to(base).as_posix()}"
            if path.suffix.lower() in IMPORTERS:
                found.append(SourcePath(path=path, name=name, folder=label, about=about))
            elif not kind_without_lines(path.name):
                unknown.append(path)
    if not any(not f.held_out for f in found):
        looked = ", ".join(str(base) for base, _, _ in places) or "the folders of persona.toml (none of them exists)"
        raise InosukeError(
            f"nothing to import in {looked}. Expected files with one of the suffixes {', '.join(sorted(IMPORTERS))}. "
            "Put your rows there or name another folder with --corpus."
        )
    return found, unknown
