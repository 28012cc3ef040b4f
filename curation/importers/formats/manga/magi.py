"""Manga pages as Magi reads them (https://github.com/ragavsachdeva/magi): text boxes, their words and who says them.

The result of ``do_chapter_wide_prediction`` saved as JSON, with the words added as ``ocr``: a page, or a list of them.
Texts are in reading order already. A page's ``text_character_associations`` link texts to its characters, whose names
are in ``character_names`` (or, as numbers of clusters, in ``character_cluster_labels``).
"""

from __future__ import annotations

from typing import Any

from curation.importers.lines.raw_line import RawLine
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

_NOBODY = {"", "other", "unsure", "unknown"}


def pages_of(value: Any) -> list[Any]:
    """Return the pages of Magi's JSON; empty for any other."""
    if isinstance(value, dict):
        value = value.get("pages") or value.get("results") or [value]
    pages = value if isinstance(value, list) else []
    return pages if any(isinstance(p, dict) and "texts" in p and "ocr" in p for p in pages) else []


def read_pages(file: SourceFile, persona: Persona, pages: list[Any]) -> Imported:
    """Read the texts of the pages. Sound effects and signs, which Magi calls not essential, are rejected."""
    lines: list[RawLine] = []
    rejected: list[Rejected] = []
    scene, silent = 1, False
    for number, page in enumerate(pages, 1):
        words = page.get("ocr") if isinstance(page, dict) else None
        if not isinstance(words, list):
            source = file.at(f"page {number}", "magi")
            rejected.append(Rejected(source=source, reason="bad_page", text=str(page)[:2000], detail="no list `ocr`"))
            continue
        if silent and words and lines:
            scene += 1
        silent = not words
        who, essential = _speakers(page), page.get("is_essential_text")
        for index, text in enumerate(words):
            where = f"scene {scene} · page {number} text {index + 1}"
            if not isinstance(text, str):
                source = file.at(where, "magi")
                rejected.append(Rejected(source=source, reason="bad_block", text=str(text)[:2000], detail="not text"))
                continue
            speaker = who.get(index, "")
            line = RawLine(text=text, locator=where, speaker=speaker, evidence="link" if speaker else "")
            if isinstance(essential, list) and index < len(essential) and essential[index] is False:
                line.reason, line.detail = "stage_direction", "Magi takes it for a sound or a sign"
            lines.append(line)
    return to_imported(file, lines, persona, "magi", rejected)


def _speakers(page: dict[str, Any]) -> dict[int, str]:
    """Return the number of a text → who says it."""
    names = page.get("character_names")
    if not isinstance(names, list):
        labels = page.get("character_cluster_labels")
        names = [f"Character {label}" for label in labels] if isinstance(labels, list) else []
    found: dict[int, str] = {}
    links = page.get("text_character_associations")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, list) and len(link) == 2 and all(isinstance(n, int) for n in link):
            text, character = link
            name = names[character] if 0 <= character < len(names) else None
            if isinstance(name, str) and name.strip().casefold() not in _NOBODY:
                found.setdefault(text, name.strip())
    return found
