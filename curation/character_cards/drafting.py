"""A card → what its persona.toml says. The same draft tells an export which fields a person edited since."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curation.character_cards import containers, png_chunks
from curation.character_cards.containers import Card
from curation.character_cards.fields import clean, name_of, text_of, texts_of
from curation.character_cards.macros import resolve, you
from curation.errors import InosukeError, UsageError
from curation.files import whole_folder
from curation.lorebook.reading import read_book
from curation.persona import Persona, load_persona

KEPT = "character-card"
SOURCE = "card-rows"
BOOK = "lorebook.json"
_PIXELS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
EMBEDDED = re.compile("(?:embeded|embedded)://")  # the specification's spelling, and the dictionary's
_DATA_URL = re.compile("data:image/png;base64,", re.IGNORECASE)
_PROMPTS = {
    "vi": ("Nói một câu đậm chất {} (ngắn).", "Nói một câu đậm chất {} (dài)."),
    "en": ("Say something only {} would say (short).", "Say something only {} would say (long)."),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What a card says of the persona, with macros resolved. ``greetings`` are pairs: the card's text, the resolved."""

    name: str
    aliases: tuple[str, ...]
    system_prompt: str
    greetings: tuple[tuple[str, str], ...]


def draft(card: Card, language: str) -> Draft:
    """Return the draft of a card. A text that is missing or not a text counts as empty."""
    fields = card.fields
    name = name_of(fields.get("name")) or "Character"
    nickname = name_of(fields.get("nickname"))
    called, user = nickname or name, you(language)
    # A program that plays a card puts all of them into the prompt.
    parts = [text_of(fields.get(key)) for key in ("system_prompt", "description", "personality", "scenario")]
    prompt = "\n\n".join(said for part in parts if (said := clean(resolve(part, called, user)).strip()))
    spoken = [(text, clean(resolve(text, called, user)).strip()) for text in greetings(fields)]
    return Draft(
        name=name,
        aliases=(nickname,) if nickname and nickname != name else (),
        system_prompt=prompt or f"You are {called}.",
        greetings=tuple((text, resolved) for text, resolved in spoken if resolved),
    )


def greetings(fields: dict[str, Any]) -> list[str]:
    """Return the first message and its alternates, as the card has them."""
    return [text_of(fields.get("first_mes")), *texts_of(fields.get("alternate_greetings"))]


def import_card(file: Path, folder: Path, language: str = "en", name: str = "") -> Persona:
    """Draft a character in a new folder and return its persona. Raises InosukeError where the folder exists.

    ``name`` replaces the card's own, which becomes an alias.
    """
    card = containers.read(file)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InosukeError(f"{folder}: is not empty. A card is imported into a new folder. Choose another --into.")
    try:
        with whole_folder(folder) as part:
            (part / f"{KEPT}{card.ending}").write_bytes(card.raw)
            (part / SOURCE).mkdir()
            (part / SOURCE / "card.json").write_bytes(card.text.decode(json.detect_encoding(card.text)).encode())
            if picture := portrait(card):
                (part / "portrait.png").write_bytes(picture)
            book = card.fields.get("character_book")
            if isinstance(book, dict):
                (part / BOOK).write_bytes(_book(book))
            lore = book_trouble(card)
            found = draft(card, language)
            if name and name != found.name:
                found = replace(found, name=name, aliases=(found.name, *(a for a in found.aliases if a != name)))
            text = _toml(found, language, bool(picture), lore)
            (part / "persona.toml").write_text(text, encoding="utf-8")
            load_persona(part / "persona.toml")
    except OSError as error:
        raise InosukeError(f"{folder}: cannot be written ({error.strerror or error}). Choose another --into.") from None
    return load_persona(folder / "persona.toml")


def _book(book: dict[str, Any]) -> bytes:
    return containers.to_json({"spec": "lorebook_v3", "data": book})


def book_trouble(card: Card) -> str | None:
    """Return why a card's lorebook cannot be used as it is, "" where it can, None for a card without one."""
    book = card.fields.get("character_book")
    if not isinstance(book, dict):
        return None
    try:
        read_book(_book(book), BOOK)
    except UsageError as error:
        return str(error)
    return ""


def kept_card(root: Path) -> Card | None:
    """Return the card that a persona's folder was imported from, or None."""
    found = [path for ending in containers.ENDINGS if (path := root / f"{KEPT}{ending}").is_file()]
    return containers.read(found[0]) if found else None


def portrait(card: Card) -> bytes:
    """Return the card's picture as a PNG of pixels alone; nothing where it has none, or none that is a whole PNG."""
    picture = card.raw if card.ending == ".png" else b""
    assets = card.fields.get("assets")
    for asset in assets if card.ending != ".png" and isinstance(assets, list) else ():
        uri = asset.get("uri") if isinstance(asset, dict) and asset.get("type") == "icon" else None
        if isinstance(uri, str) and (not picture or asset.get("name") == "main"):
            picture = _asset(card, uri) or picture
    if not picture.startswith(png_chunks.SIGNATURE):
        return b""
    try:
        chunks, _ = png_chunks.split(picture)
    except InosukeError:  # an icon beside the card: it is no reason to refuse the character
        return b""
    return png_chunks.SIGNATURE + b"".join(c.raw for c in chunks if c.kind in _PIXELS)


def _asset(card: Card, uri: str) -> bytes:
    """Return the bytes behind an address: a file of the CHARX, or a data URL. Nothing is fetched."""
    if inside := EMBEDDED.match(uri):
        return _member(card, uri[inside.end() :]) if card.ending == ".charx" else b""
    if not (data := _DATA_URL.match(uri)):
        return b""
    try:
        return base64.b64decode(uri[data.end() :], validate=True)
    except ValueError:
        return b""


def _member(card: Card, path: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(card.raw)) as archive:
        names = {m.filename: m for m in archive.infolist()}
    return containers.unpacked(card.raw, names[path], containers.MAX_FILE) if path in names else b""


def _quoted(text: str) -> str:
    # TOML's basic strings are JSON's, except that DEL has to be escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(texts: list[str] | tuple[str, ...]) -> str:
    return "[" + ", ".join(_quoted(text) for text in texts) + "]"


def _toml(found: Draft, language: str, has_portrait: bool, trouble: str | None) -> str:
    """Return persona.toml. ``trouble`` is why the card's lorebook cannot be used, "" where it can, None without one."""
    short, long = (prompt.format(found.name) for prompt in _PROMPTS.get(language, _PROMPTS["en"]))
    lines = [
        "# Drafted from a character card. Read it, and change what does not fit.",
        f"name = {_quoted(found.name)}",
        f"aliases = {_list(found.aliases)}",
        f"languages = {_list([language])}",
        f"system_prompt = {_quoted(found.system_prompt)}",
        "",
        "[scenes.quote_prompts]",
        f"{language} = {_list([short, long])}",
    ]
    if found.greetings:
        lines += ["", "[greetings]", f"{language} = {_list([said for _, said in found.greetings])}"]
    if has_portrait:
        lines += ["", "[page]", 'portrait = "portrait.png"']
    if trouble:
        lines += ["", f"# The card's lorebook is in {BOOK} and is not used yet: {' '.join(trouble.split())}"]
        lines += ["# Correct it there, then remove the marks before the next two lines.", "# [lorebook]"]
        lines += [f'# file = "{BOOK}"']
    elif trouble is not None:
        lines += ["", "[lorebook]", f'file = "{BOOK}"']
    lines += [
        "",
        "[[sources]]",
        f'path = "{SOURCE}"',
        '# Who owns the lines? "own", "licensed" or "private"; nothing of unknown rights is published.',
        'rights = "unknown"',
        "",
    ]
    return "\n".join(lines)
