"""What a card breaks of its specification, a sentence each, and what a person is told who imports it. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curation.character_cards.containers import Card, members
from curation.character_cards.drafting import EMBEDDED, book_trouble
from curation.character_cards.notes import author_says, newer, shown, warnings

_V1 = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
_V2 = ("creator_notes", "system_prompt", "post_history_instructions", "creator", "character_version")


def faults(card: Card) -> list[str]:
    """Return what the card breaks; empty for a card without faults."""
    value, fields, version = card.value, card.fields, card.version
    found = []
    if version > 1 and value.get("spec") not in ("chara_card_v2", "chara_card_v3"):
        found.append(f"`spec` is {_shown(value.get('spec'))}; expected chara_card_v2 or chara_card_v3.")
    if version > 1 and value.get("spec_version") != f"{version}.0" and not newer(card):
        found.append(f'`spec_version` is {_shown(value.get("spec_version"))}; expected "{version}.0".')
    for key in (*_V1, *(_V2 if version > 1 else ())):
        if not isinstance(fields.get(key), str):
            found.append(f"`{key}` is {_shown(fields.get(key))}; expected a text, which may be empty.")
    lists = () if version == 1 else ("alternate_greetings", "tags", *(("group_only_greetings",) * (version == 3)))
    for key in lists:
        texts = fields.get(key)
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            found.append(f"`{key}` is {_shown(texts)}; expected a list of texts, which may be empty.")
    if version > 1 and not isinstance(fields.get("extensions"), dict):
        found.append(f"`extensions` is {_shown(fields.get('extensions'))}; expected an object.")
    if "character_book" in fields:
        found += _book(fields["character_book"], version)
    if version == 3 and "assets" in fields:
        found += _assets(fields["assets"]) + _missing(card)
    return found


def about(card: Card | None, file: Path, language: str) -> list[str]:
    """Return what a person is told of an imported card: what has no effect, faults, and the author's notes."""
    if card is None:
        return []
    said = [f"Note: {warning}" for warning in warnings(card)]
    if broken := faults(card):
        said.append(f"Note: the card breaks its specification in {len(broken)} places: inosuke card check {file}")
    if trouble := book_trouble(card):
        said.append(f"Note: the card's lorebook is not used yet. {shown(trouble, 300)}")
    if lines := author_says(card, language):
        said += ["The author of the card says:", *(f"  {line}" for line in lines)]
    return said


def _book(book: Any, version: int) -> list[str]:
    if not isinstance(book, dict):
        return [f"`character_book` is {_shown(book)}; expected an object."]
    entries = book.get("entries")
    if not isinstance(entries, list):
        more = " SillyTavern's own world files have an object there." if isinstance(entries, dict) else ""
        return [f"`character_book.entries` is {_shown(entries)}; expected a list.{more}"]
    kinds: dict[str, type | tuple[type, ...]] = {
        "keys": list, "content": str, "extensions": dict, "enabled": bool, "insertion_order": (int, float)
    }  # fmt: skip
    if version == 3:
        kinds["use_regex"] = bool
    optional: dict[str, type | tuple[type, ...]] = {
        "scan_depth": (int, float), "token_budget": (int, float), "recursive_scanning": bool
    }  # fmt: skip
    found = [
        f"`character_book.{key}` is {_shown(book[key])}, which is not what the specification has there."
        for key, kind in optional.items()
        if key in book and (not isinstance(book[key], kind) or (kind is not bool and _is_odd(book[key])))
    ]
    for number, entry in enumerate(entries):
        where = f"character_book.entries[{number}]"
        if not isinstance(entry, dict):
            found.append(f"`{where}` is {_shown(entry)}; expected an object.")
            continue
        found += [
            f"`{where}.{key}` is {_shown(entry.get(key))}, which is not what the specification has there."
            for key, kind in kinds.items()
            if not isinstance(entry.get(key), kind)
        ]
        keys = entry.get("keys")
        if isinstance(keys, list) and not all(isinstance(key, str) for key in keys):
            found.append(f"`{where}.keys` is {_shown(keys)}; expected a list of texts.")
    return found


def _is_odd(number: Any) -> bool:
    return isinstance(number, bool) or bool(number < 0)


def _missing(card: Card) -> list[str]:
    """Return the assets of a CHARX whose file is not in it."""
    assets = card.fields.get("assets")
    if card.ending != ".charx" or not isinstance(assets, list):
        return []
    there = {member.filename for member in members(card.raw)}
    uris = [(n, asset["uri"]) for n, asset in enumerate(assets) if isinstance(asset, dict) and "uri" in asset]
    return [
        f"`assets[{number}]` is {_shown(uri)}, and the CHARX has no such file."
        for number, uri in uris
        if isinstance(uri, str) and (inside := EMBEDDED.match(uri)) and uri[inside.end() :] not in there
    ]


def _assets(assets: Any) -> list[str]:
    if not isinstance(assets, list):
        return [f"`assets` is {_shown(assets)}; expected a list."]
    found = [
        f"`assets[{number}]` is {_shown(asset)}; expected type, uri, name and ext, each a text."
        for number, asset in enumerate(assets)
        if not isinstance(asset, dict) or not all(isinstance(asset.get(k), str) for k in ("type", "uri", "name", "ext"))
    ]
    icons = [asset.get("name") for asset in assets if isinstance(asset, dict) and asset.get("type") == "icon"]
    if len(icons) > 1 and icons.count("main") != 1:
        found.append(f"`assets` has {len(icons)} icons; expected exactly one of them to be named main.")
    return found


def _shown(value: Any) -> str:
    if value is None:
        return "missing or null"
    return shown(repr(value), 60)
