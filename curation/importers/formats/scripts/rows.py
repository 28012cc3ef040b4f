"""A row of a script as its file or document gives it, before stamps and names are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Row:
    """One line or paragraph. A blank one separates blocks.

    ``place`` is its locator inside its part; ``part`` counts the chapters of a document: each is a scene. ``name`` is
    the speaker where a time stamp or a table shows one, known by ``evidence``. Times are milliseconds.
    """

    text: str
    place: str
    part: int = 0
    start_ms: int | None = None
    end_ms: int | None = None
    name: str = ""
    evidence: str = "prefix"


def of_text(text: str) -> list[Row]:
    """Return the rows of a plain text; each is found again by its line number."""
    return [Row(row, f"line {number}") for number, row in enumerate(text.split("\n"), 1)]


def texts(rows: Sequence[Row]) -> list[str]:
    """Return the text of each row, with the speaker that a stamp showed as a label."""
    return [f"{row.name}: {row.text}" if row.name else row.text for row in rows]
