"""A persona's folder → a card's file: finds the kept card, the newest export and the newest run."""

from __future__ import annotations

from pathlib import Path

from curation.character_cards import containers
from curation.character_cards.drafting import kept_card
from curation.character_cards.png_chunks import SIGNATURE
from curation.character_cards.writing import card_of, is_edited
from curation.contracts.gguf import read_gguf_list
from curation.contracts.published import read_published
from curation.contracts.rows import ExportedRow, read_chat_rows
from curation.errors import InosukeError, UsageError
from curation.files import write_atomically
from curation.folders import Folders
from curation.newest import LATEST, newest_export, newest_run
from curation.persona import Persona, load_persona


def export_card(persona_file: Path, out: Path, version: int | None, budget: int) -> list[str]:
    """Write the card and return what to tell the user. Raises InosukeError where it cannot be written."""
    ending = out.suffix.lower()
    if ending not in (".json", ".png", ".charx"):
        raise UsageError(f"{out}: expected a name that ends in .json, .png or .charx.")
    persona = load_persona(persona_file)
    kept = kept_card(persona.root)
    rows, about, secret = _known(persona.root)
    same = kept and not rows and not about and version in (None, kept.version) and ending == kept.ending
    if kept and same and not is_edited(persona, kept):
        write_atomically(out, kept.raw)
        return [f"{out}: the imported card, byte for byte; nothing was edited."]
    wanted = version or (kept.version if kept and kept.version > 1 else 3)
    if ending == ".charx" and wanted == 2:
        raise UsageError("a CHARX holds a V3 card. Leave --v2 out, or write a .png or .json file.")
    value = card_of(persona, kept, rows, about, wanted, budget)
    write_atomically(out, containers.write(value, ending, kept, _picture(persona, kept)))
    said = [f"{out}: wrote {persona.name} as Character Card V{wanted}."]
    if not rows:
        said.append("No approved lines yet, so the examples are the imported card's, if there is one.")
    said += [f"Note: the card names {name}, which was published as private." for name in secret]
    if kept and kept.ending == ".charx" and ending != ".charx":
        said.append("Note: the assets inside the CHARX are not in this file. Write a .charx file to keep them.")
    return said


def _known(root: Path) -> tuple[tuple[ExportedRow, ...], dict[str, str], list[str]]:
    """Return the approved rows of the newest export, and what ``extensions.inosuke`` says of dataset and run.

    Third, the names of private repositories in it. What is not known is left out.
    """
    folders = Folders(root)
    about: dict[str, str] = {}
    rows: tuple[ExportedRow, ...] = ()
    secret: list[str] = []
    if (folders.export / LATEST).is_file():
        export = newest_export(folders.export)
        rows, about["dataset"] = read_chat_rows(export, "train"), export.name
    if (root / "models" / LATEST).is_file():
        run = newest_run(root / "models")
        files = read_gguf_list(run)
        about["run"] = run.name
        published = read_published(run)
        for name in ("adapter", "merged"):
            if place := getattr(published, name):
                about |= {f"{name}_repository": place.repository, f"{name}_commit": place.commit}
                secret += [place.repository] * place.private
        if files.served and (entry := files.entry(files.served)) and entry.sha256:
            about["gguf_sha256"] = entry.sha256
    return rows, about, list(dict.fromkeys(secret))


def _picture(persona: Persona, kept: containers.Card | None) -> bytes | None:
    if kept and kept.ending == ".png":
        return kept.raw
    if not persona.page.portrait:
        return None
    path = (persona.root / persona.page.portrait).resolve()
    if not path.is_relative_to(persona.root) or not path.is_file():
        return None
    if path.stat().st_size > containers.MAX_FILE:
        raise InosukeError(f"{path}: is too large for a card's picture. Make it smaller.")
    data = path.read_bytes()
    return data if data.startswith(SIGNATURE) else None
