"""A card → what its persona.toml says. The same draft tells an export which fields a person edited since."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curation.character_cards import containers, png_chunks
from curation.character_cards.containers import Card
from curation.character_cards.macros import resolve, you
from curation.errors import InosukeError, UsageError
from curation.files import whole_folder
from curation.lorebook.reading import read_book
from curation.persona import Persona, load_persona

KEPT = "character-card"
SOURCE = "card-rows"
BOOK = "lorebook.json"
_PIXELS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
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
    name = " ".join(_text(fields, "name").split()) or "Character"
    nickname = " ".join(_text(fields, "nickname").split())
    called, user = nickname or name, you(language)
    # A program that plays a card puts all of them into the prompt.
    parts = [_text(fields, key) for key in ("system_prompt", "description", "personality", "scenario")]
    prompt = "\n\n".join(said for part in parts if (said := resolve(part, called, user).strip()))
    return Draft(
        name=name,
        aliases=(nickname,) if nickname and nickname != name else (),
        system_prompt=prompt or f"You are {called}.",
        greetings=tuple((text, said) for text in greetings(fields) if (said := resolve(text, called, user).strip())),
    )


def greetings(fields: dict[str, Any]) -> list[str]:
    """Return the first message and its alternates, as the card has them."""
    more = fields.get("alternate_greetings")
    texts = [fields.get("first_mes"), *(more if isinstance(more, list) else ())]
    return [clean(text) for text in texts if isinstance(text, str)]


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
            (part / SOURCE / "card.json").write_bytes(card.text)
            if picture := portrait(card):
                (part / "portrait.png").write_bytes(picture)
            book = card.fields.get("character_book")
            trouble = None
            if isinstance(book, dict):
                data = containers.to_json({"spec": "lorebook_v3", "data": book})
                (part / BOOK).write_bytes(data)
                trouble = _trouble(data)
            lore = None if not isinstance(book, dict) else trouble or ""
            found = draft(card, language)
            if name and name != found.name:
                found = replace(found, name=name, aliases=(found.name, *(a for a in found.aliases if a != name)))
            text = _toml(found, language, bool(picture), lore)
            (part / "persona.toml").write_text(text, encoding="utf-8")
            load_persona(part / "persona.toml")
    except OSError as error:
        raise InosukeError(f"{folder}: cannot be written ({error.strerror or error}). Choose another --into.") from None
    return load_persona(folder / "persona.toml")


def _trouble(book: bytes) -> str | None:
    """Return why a card's book cannot be used as it is, None where it can."""
    try:
        read_book(book, BOOK)
    except UsageError as error:
        return str(error)
    return None


def kept_card(root: Path) -> Card | None:
    """Return the card that a persona's folder was imported from, or None."""
    found = [path for ending in containers.ENDINGS if (path := root / f"{KEPT}{ending}").is_file()]
    return containers.read(found[0]) if found else None


def portrait(card: Card) -> bytes:
    """Return the card's picture as a PNG of pixels alone; nothing where it has none."""
    picture = card.raw if card.ending == ".png" else b""
    assets = card.fields.get("assets")
    for asset in assets if card.ending == ".charx" and isinstance(assets, list) else ():
        uri = asset.get("uri") if isinstance(asset, dict) and asset.get("type") == "icon" else None
        if isinstance(uri, str) and uri.startswith("embeded://") and (not picture or asset.get("name") == "main"):
            picture = _member(card, uri.removeprefix("embeded://")) or picture
    if not picture.startswith(png_chunks.SIGNATURE):
        return b""
    chunks, _ = png_chunks.split(picture)
    return png_chunks.SIGNATURE + b"".join(c.raw for c in chunks if c.kind in _PIXELS)


def _member(card: Card, path: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(card.raw)) as archive:
        names = {m.filename: m for m in archive.infolist()}
    return containers.unpacked(card.raw, names[path], containers.MAX_FILE) if path in names else b""


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key)
    return clean(value) if isinstance(value, str) else ""


def clean(text: str) -> str:
    """Return a text that UTF-8 can hold: a lone surrogate becomes U+FFFD. The kept card still has it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


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
