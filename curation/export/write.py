"""Write the approved samples as a dataset folder that ``datasets.load_dataset`` loads, with a hash of every file.

``datasets/export/<version>/`` holds two configurations, ``instruct`` and ``chat``, each with ``train`` and ``eval`` as
Parquet, the same rows as JSON lines for the trainer and for reading, ``heldout.jsonl``, the persona, the card and its
charts, and what other programs read: ``dataset_info.json``, ``croissant.json`` and ``CITATION.cff``. The version
follows from the content: same inputs, same bytes, same name.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from curation.contracts.manifest import Manifest, write_manifest
from curation.errors import InosukeError
from curation.export import card, charts, exported_rows, manifest, trainers
from curation.export.citation import CITATION, cff
from curation.export.croissant import CROISSANT, jsonld
from curation.export.exported_rows import ExportInput, Rows
from curation.files import PARTIAL, write_atomically
from curation.newest import set_latest
from curation.persona import Persona, copy_persona


def write_export(content: ExportInput, out: Path) -> Path:
    """Write an export into a folder below ``out`` and return the folder.

    An existing version is not touched; a new one appears whole or not at all. Raises InosukeError if no sample has a
    side, or if the folder cannot be written.
    """
    rows = exported_rows.from_samples(content)
    if not rows.samples:
        raise InosukeError("nothing is approved, so there is nothing to export. Approve samples with `make review`.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        # The final name follows from the content, so the folder is filled under a hidden name first.
        with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=out) as work:
            part = Path(work) / "export"
            part.mkdir()
            about = write_folder(part, rows, content.persona, content.persona_file, content.facts)
            final = out / about.version
            if final.exists() and not _is_unchanged(final):
                final.rename(_backup_name(final))  # edited by hand: never overwrite the user's work
            if not final.exists():
                part.rename(final)
        set_latest(out, final.name)
    except OSError as error:
        raise InosukeError(
            f"{out}: the export cannot be written ({error.strerror or error}). No version was changed. "
            "Free some disk space or fix the folder's permissions, then run the command again."
        ) from error
    return final


def write_folder(folder: Path, rows: Rows, persona: Persona, persona_file: Path, facts: Manifest) -> Manifest:
    """Fill an empty folder with all files of an export and return its manifest."""
    exported_rows.write(rows, folder)
    copy_persona(persona_file, folder)
    charts.draw(rows.chat, folder / "charts")
    filled = [side for side, content in rows.chat.items() if content]
    write_atomically(folder / trainers.DATASET_INFO, trainers.dataset_info(persona.name, filled))
    return write_card(folder, manifest.make(folder, rows, persona, facts))


def write_card(folder: Path, about: Manifest, repo: str = card.EXAMPLE_REPO) -> Manifest:
    """Write the descriptions and the manifest of an export whose other files are in ``folder``; return the manifest.

    ``repo`` is where readers will find it; the default stands for an export that is not published.
    """
    write_atomically(folder / manifest.CARD, card.text(about, repo, exported_rows.infos(folder)))
    write_citations(folder, about, repo, card.metadata(about)["license"])
    about = manifest.with_card(about, folder)
    write_manifest(folder, about)
    return about


def write_citations(folder: Path, about: Manifest, repo: str, licence: str) -> None:
    """Write what other programs read of an export's terms; ``licence`` is the card's, an identifier of the Hub."""
    write_atomically(folder / CITATION, cff(about, repo, licence, published=repo != card.EXAMPLE_REPO))
    write_atomically(folder / CROISSANT, jsonld(about, repo, licence, card.bibtex(about, repo)))


def _is_unchanged(folder: Path) -> bool:
    try:
        manifest.check(folder)
    except InosukeError:
        return False
    return True


def _backup_name(folder: Path) -> Path:
    taken = {p.name for p in folder.parent.iterdir()}
    number = 1
    while (name := f"{folder.name}.edited-{number}") in taken:
        number += 1
    return folder.with_name(name)
