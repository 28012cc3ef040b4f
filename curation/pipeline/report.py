"""The counts of a build, as `inosuke dataset --json` prints them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Report:
    """What a build did. Counts are samples unless the name says otherwise."""

    imported: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    flagged: dict[str, int] = field(default_factory=dict)
    duplicates: dict[str, int] = field(default_factory=dict)
    awaiting_review: int = 0
    approved: int = 0
    exported: dict[str, int] = field(default_factory=dict)
    version: str | None = None
    path: str | None = None
    held_out: int = 0
    multi_turn: int = 0
    languages: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    approved_on_import: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    up_to_date: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain objects."""
        return asdict(self)
