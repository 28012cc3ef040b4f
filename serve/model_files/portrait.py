"""The character's portrait: the picture that persona.toml names, or else a drawing of the name's first letter.

A picture is served as it is, so it is checked here: its place, its size and its type. Knows nothing of HTTP.
"""

from __future__ import annotations

import colorsys
import hashlib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from curation.errors import UsageError
from curation.persona import Persona

MAX_BYTES = 2 * 1024 * 1024


class _Type(NamedTuple):
    mimetype: str
    matches: Callable[[bytes], bool]


_PNG = _Type("image/png", lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"))
_JPEG = _Type("image/jpeg", lambda data: data.startswith(b"\xff\xd8\xff"))
_WEBP = _Type("image/webp", lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP")
_SVG = _Type("image/svg+xml", lambda data: b"<svg" in data[:4096])
_TYPES = {".svg": _SVG, ".png": _PNG, ".webp": _WEBP, ".jpg": _JPEG, ".jpeg": _JPEG}


@dataclass(frozen=True, kw_only=True, slots=True)
class Portrait:
    """A picture: its bytes and their type. ``note`` tells the owner why it is not the one that persona.toml names."""

    data: bytes
    mimetype: str
    note: str = ""


def find_portrait(persona: Persona, root: Path) -> Path | None:
    """Return the file that persona.toml names, or None where it names none or the file does not exist.

    The path is relative to persona.toml. A run has a copy of persona.toml and not of the picture, so ``root``, the
    project's folder, is searched too. Raises UsageError for a path that leads out of the folder.
    """
    name = persona.page.portrait
    if not name:
        return None
    for folder in (persona.root, root):
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise UsageError(f"persona.toml: `page.portrait` is {name!r}; expected a file below persona.toml's folder.")
        if path.is_file():
            return path
    return None


def load_portrait(persona: Persona, root: Path) -> Portrait:
    """Return the persona's portrait, or an initial. Raises UsageError for a file that is too large or not a picture."""
    path = find_portrait(persona, root)
    if path is None:
        name = persona.page.portrait
        note = f"portrait: {name} does not exist in {persona.root} or {root}; the page shows an initial" if name else ""
        return Portrait(data=initial(persona.name).encode(), mimetype=_SVG.mimetype, note=note)
    kind = _TYPES.get(path.suffix.lower())
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise UsageError(f"{path}: the portrait has {size:,} bytes; expected at most {MAX_BYTES:,}. Make it smaller.")
    data = path.read_bytes()
    if kind is None or not kind.matches(data):
        raise UsageError(
            f"{path}: the portrait is not a picture of the type that its name says. Expected an SVG, PNG, WebP or JPEG "
            f"file with one of these endings: {', '.join(_TYPES)}."
        )
    return Portrait(data=data, mimetype=kind.mimetype)


def initial(name: str) -> str:
    """Return an SVG of a name's first letter. Its colour depends on the name, so that characters look different."""
    letters = [letter for letter in unicodedata.normalize("NFC", name) if letter.isalnum()]
    letter = escape(letters[0].upper() if letters else "?")
    hue = hashlib.sha256(name.encode()).digest()[0] / 256
    ground, ink = _colour(hue, 0.83, 0.35), _colour(hue, 0.28, 0.4)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 240">'
        f'<circle cx="120" cy="120" r="120" fill="{ground}"/>'
        f'<text x="120" y="120" dy=".35em" text-anchor="middle" font-family="system-ui, sans-serif" font-size="124" '
        f'font-weight="600" fill="{ink}">{letter}</text></svg>'
    )


def _colour(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))
