"""The stage's JavaScript and CSS: files of ``stage/``, and a hash that names their version."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "stage"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@cache
def _files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}


@cache
def version() -> str:
    """Return 16 hexadecimal digits that change with any of the files."""
    digest = hashlib.sha256()
    for name, content in _files().items():
        digest.update(f"{name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]


def read(wanted: str, name: str) -> tuple[bytes, str] | None:
    """Return a file's content and media type, None for another version or an unknown name."""
    content = _files().get(name)
    return None if content is None or wanted != version() else (content, _TYPES[Path(name).suffix])


def css() -> str:
    """Return the stage's style sheet."""
    return _files()["stage.css"].decode("utf-8")
