"""The table that all formats are rendered from, and what several of them need: wrapped lines, clocks, old bytes."""

from __future__ import annotations

import json
import textwrap
import unicodedata
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

FOLDER = Path(__file__).parents[4] / "datasets" / "sources" / "transcripts"
TABLE = FOLDER / "scenes.lines.json"
TITLES = {"1": "Cầu khỉ", "2": "Nồi cháo", "3": "Kho khoai"}
_TONES = "\u0300\u0301\u0303\u0309\u0323"


@dataclass(frozen=True, slots=True)
class Said:
    """One line; times are milliseconds, ``speaker`` is empty for an unnamed speaker."""

    number: int
    scene: str
    start: int
    end: int
    speaker: str
    text: str


def load() -> list[Said]:
    """Read the table."""
    rows = json.loads(TABLE.read_text(encoding="utf-8"))
    return [
        Said(i, r["scene"], round(float(r["start"]) * 1000), round(float(r["end"]) * 1000), r["speaker"], r["text"])
        for i, r in enumerate(rows)
    ]


def by_scene(lines: list[Said]) -> list[tuple[str, list[Said]]]:
    """Return (title, lines) of each scene."""
    return [(TITLES[scene], list(part)) for scene, part in groupby(lines, key=lambda line: line.scene)]


def people(lines: list[Said]) -> list[str]:
    """Return who is named, in the order of their first line."""
    return list(dict.fromkeys(line.speaker for line in lines if line.speaker))


def wrapped(text: str, glue: str) -> str:
    """Break a line in two, as subtitles do."""
    return glue.join(textwrap.wrap(text, max(len(text) // 2 + 5, 30))) if len(text) > 45 else text


def clock(ms: int, point: str = ".", digits: int = 3) -> str:
    """Return `00:01:02.500`, or with two digits `0:01:02.50`."""
    hours, rest = divmod(ms, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    seconds, ms = divmod(rest, 1000)
    if digits == 2:
        return f"{hours}:{minutes:02d}:{seconds:02d}{point}{ms // 10:02d}"
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{ms:03d}"


def cp1258(text: str) -> bytes:
    """Encode as Windows did in Vietnam: the letter with its hat, then the tone as a mark of its own."""
    return "".join(_split(char) for char in text).encode("cp1258")


def _split(char: str) -> str:
    try:
        char.encode("cp1258")
    except UnicodeEncodeError:
        parts = unicodedata.normalize("NFD", char)
        tones = "".join(c for c in parts if c in _TONES)
        return unicodedata.normalize("NFC", "".join(c for c in parts if c not in _TONES)) + tones
    return char
