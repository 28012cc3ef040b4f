"""What a person is told of a card that comes in: its author's notes, and what of it has no effect here. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from curation.character_cards.containers import Card
from curation.character_cards.fields import clean

_NEWEST = 3.0
_MOST_SHOWN = 2000  # characters of notes; some are whole web pages
_TOP = frozenset(("spec", "spec_version", "data"))
_DATA = frozenset((
    "name", "description", "personality", "scenario", "first_mes", "mes_example", "creator_notes", "system_prompt",
    "post_history_instructions", "alternate_greetings", "character_book", "tags", "creator", "character_version",
    "extensions", "group_only_greetings", "assets", "nickname", "creator_notes_multilingual", "source",
    "creation_date", "modification_date",
))  # fmt: skip
_BOOK = frozenset((
    "name", "description", "scan_depth", "token_budget", "recursive_scanning", "extensions", "entries",
))  # fmt: skip
_ENTRY = frozenset((
    "keys", "content", "extensions", "enabled", "insertion_order", "use_regex", "constant", "case_sensitive", "name",
    "priority", "id", "comment", "selective", "secondary_keys", "position",
))  # fmt: skip
_ASSET = frozenset((
    "type", "uri", "name", "ext",
))  # fmt: skip


def newer(card: Card) -> str:
    """Return the card's `spec_version` where it is newer than this program knows, else an empty text."""
    version = card.value.get("spec_version")
    try:
        number = float(version) if isinstance(version, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return ""
    return str(version)[:20] if card.version == 3 and _NEWEST < number < float("inf") else ""


def warnings(card: Card) -> list[str]:
    """Return what is odd of a card without being a fault: its version is newer, or it has keys without effect here."""
    said = [f"The PNG holds two cards: {shown(card.note, 300)}."] if card.note else []
    if version := newer(card):
        said.append(
            f"`spec_version` is {shown(version)}, newer than {_NEWEST}. The card is read as V3; all of it is kept."
        )
    if unknown := _unknown(card):
        names = ", ".join(f"`{shown(name, 60)}`" for name in unknown[:8])
        more = f" and {len(unknown) - 8:,} more" if len(unknown) > 8 else ""
        said.append(f"Kept, but not understood: {names}{more}.")
    return said


def author_says(card: Card, language: str) -> list[str]:
    """Return the lines of the author's notes in a language, or in English, or in the first that there is.

    They are for people: no model is told them. Long ones are cut.
    """
    fields = card.fields
    told = fields.get("creator_notes_multilingual")
    notes = {str(code): text for code, text in told.items()} if isinstance(told, dict) else {}
    notes.setdefault("en", fields.get("creator_notes"))
    notes = {code: clean(text).strip() for code, text in notes.items() if isinstance(text, str) and text.strip()}
    if not notes:
        return []
    base = language.lower().split("-")[0]
    code = next(code for code in (base, "en", *notes) if code in notes)
    text = notes[code]
    lines = [shown(line, _MOST_SHOWN) for line in text[:_MOST_SHOWN].splitlines()]
    if len(text) > _MOST_SHOWN:
        lines.append(f"… ({len(text) - _MOST_SHOWN:,} more characters are in the card)")
    if others := [shown(other, 12) for other in notes if other != code]:
        lines.append(f"(also in: {', '.join(others[:20])})")
    return lines


def shown(text: str, most: int = 200) -> str:
    """Return a stranger's text for a terminal: without control characters, on one line, cut at ``most`` characters."""
    text = " ".join(clean(text).split("\n"))
    return text if len(text) <= most else text[:most] + "…"


def _unknown(card: Card) -> list[str]:
    """Return the places of keys that no specification has; those of a V1 card and of `extensions` are anybody's."""
    if card.version == 1:
        return []
    fields = card.fields
    # Many programs repeat V1's keys beside `data`, with keys of their own. Only a newer specification means them.
    found = _others(card.value, _TOP | _DATA, "") if newer(card) else []
    found += _others(fields, _DATA, "data.")
    book = fields.get("character_book")
    if isinstance(book, dict):
        found += _others(book, _BOOK, "data.character_book.")
        entries = book.get("entries")
        found += _of_each(entries, _ENTRY, "data.character_book.entries[].")
    return found + _of_each(fields.get("assets"), _ASSET, "data.assets[].")


def _others(value: dict[str, Any], known: Iterable[str], where: str) -> list[str]:
    return [f"{where}{key}" for key in value if key not in known]


def _of_each(values: Any, known: Iterable[str], where: str) -> list[str]:
    rows = [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
    return list(dict.fromkeys(place for row in rows for place in _others(row, known, where)))
