"""The approved samples as a dataset folder that ``datasets.load_dataset`` loads, with a manifest of every hash.

``datasets/export/<version>/`` holds two configurations, ``instruct`` and ``chat``, each with ``train`` and ``eval`` as
Parquet, the same rows as JSONL for the trainer and for reading, ``heldout.jsonl``, the persona, the card and its
charts. The version follows from the content: same inputs, same bytes, same name.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.export import card, charts, exported_rows, manifest
from curation.files import sha256_file, write_atomically
from curation.persona import Persona
from curation.record import Sample
from curation.review.decisions import State
from curation.split.held_out import HeldOut

LATEST = "latest"


def export(
    samples: Sequence[Sample],
    side: Mapping[str, str],
    states: Mapping[str, State],
    held_out: Sequence[HeldOut],
    persona: Persona,
    persona_file: Path,
    out: Path,
    facts: Mapping[str, Any],
) -> Path:
    """Write the export of approved samples and return its folder.

    ``side`` says ``train`` or ``eval`` for each sample's id (a sample without a side is left out), ``facts`` goes
    into the manifest and the card as it is. A version that is there already is left untouched; a new one appears
    whole or not at all. Raises InosukeError when no sample has a side, and when the folder cannot be written.
    """
    content = exported_rows.from_samples(samples, side, states, held_out, persona)
    if not any(content.chat.values()):
        raise InosukeError("nothing is approved, so there is nothing to export. Approve samples with `make review`.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".partial-", dir=out))
        try:
            version = str(write_folder(work, content, persona, persona_file, facts)["version"])
            final = out / version
            if final.exists() and not _intact(final):
                # Somebody edited it by hand: their work is set aside, never overwritten.
                final.rename(_free_name(final))
            if not final.exists():
                work.chmod(0o755)  # mkdtemp's 0700 would keep a teammate on the same machine out
                work.rename(final)
            write_atomically(out / LATEST, version + "\n")
        finally:
            shutil.rmtree(work, ignore_errors=True)  # gone already where it was renamed
    except OSError as error:
        raise InosukeError(
            f"{out}: the export cannot be written ({error.strerror or error}). No version was changed. "
            "Free some disk space or mend the folder's permissions, then run the command again."
        ) from error
    return final


def write_folder(
    folder: Path, content: exported_rows.Rows, persona: Persona, persona_file: Path, facts: Mapping[str, Any]
) -> manifest.Manifest:
    """Fill an empty folder with everything that an export holds and return its manifest."""
    exported_rows.write(content, folder)
    shutil.copyfile(persona_file, folder / "persona.toml")
    charts.draw(content.chat, folder / "charts")
    about = manifest.make(folder, content.chat, persona, facts)
    write_atomically(folder / manifest.CARD, card.text(about))
    about["files"][manifest.CARD] = sha256_file(folder / manifest.CARD)
    manifest.write(about, folder)
    return about


def _intact(folder: Path) -> bool:
    try:
        manifest.check(folder)
    except InosukeError:
        return False
    return True


def _free_name(folder: Path) -> Path:
    taken = {p.name for p in folder.parent.iterdir()}
    number = 1
    while (name := f"{folder.name}.edited-{number}") in taken:
        number += 1
    return folder.with_name(name)
