"""Write the approved samples as a dataset folder that ``datasets.load_dataset`` loads, with a hash of every file.

``datasets/export/<version>/`` holds two configurations, ``instruct`` and ``chat``, each with ``train`` and ``eval`` as
Parquet, the same rows as JSON lines for the trainer and for reading, ``heldout.jsonl``, the persona, the card and its
charts. The version follows from the content: same inputs, same bytes, same name.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from curation.contracts import Manifest, write_manifest
from curation.errors import InosukeError
from curation.export import card, charts, exported_rows, manifest
from curation.export.exported_rows import ExportInput, Rows
from curation.files import PARTIAL, write_atomically
from curation.newest import set_latest
from curation.persona import Persona


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
    shutil.copyfile(persona_file, folder / "persona.toml")
    charts.draw(rows.chat, folder / "charts")
    return write_card(folder, manifest.make(folder, rows.chat, persona, facts))


def write_card(folder: Path, about: Manifest, repo: str = card.EXAMPLE_REPO) -> Manifest:
    """Write the card and the manifest of an export whose other files are in ``folder``; return the manifest."""
    write_atomically(folder / manifest.CARD, card.text(about, repo))
    about = manifest.with_card(about, folder)
    write_manifest(folder, about)
    return about


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
