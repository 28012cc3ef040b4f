"""The counts of a build, as `inosuke dataset --json` prints them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Report:
    """What a build did. Counts are samples unless the name says otherwise.

    A row is ``imported`` or ``rejected``, never both. ``rejected`` also counts the pieces of rows and transcripts that
    are in no sample.
    """

    imported: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    flagged: dict[str, int] = field(default_factory=dict)
    duplicates: dict[str, int] = field(default_factory=dict)
    awaiting_review: int = 0
    awaiting_flagged: int = 0  # of these, vouched for by an author but held back by a flag
    awaiting_transcripts: int = 0  # of these, cut from the transcripts of a trusted folder
    approved: int = 0
    conflicts: int = 0
    disputes: int = 0
    exported: dict[str, int] = field(default_factory=dict)
    version: str | None = None
    path: str | None = None
    held_out: int = 0
    multi_turn: int = 0
    languages: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    preferences: dict[str, int] = field(default_factory=dict)  # pairs by origin
    preferences_set_aside: dict[str, int] = field(default_factory=dict)
    approved_on_import: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    up_to_date: bool = False

    @property
    def nothing_imported(self) -> bool:
        """Whether no row and no line became a sample: all of them are quarantined, or no file could be read."""
        return not any(self.imported.values())

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain objects."""
        return asdict(self)
