"""What a publication did, as the commands print it and `--json` returns it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from curation.console import listed
from curation.hub.commit import Outcome

P = TypeVar("P", bound="Publication")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A publication that was made, or that a dry run would make. ``commit`` and ``url`` are None in a dry run."""

    repo: str
    version: str
    private: bool
    tag: str | None
    files: list[str]
    warnings: list[str]
    action: str = "would be published"
    deleted: list[str] = field(default_factory=list)
    commit: str | None = None
    url: str | None = None

    def details(self) -> list[str]:
        """Return the lines that describe the content, for a terminal."""
        return []

    def to_json(self) -> dict[str, Any]:
        """Return plain objects."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPublication(Publication):
    """The publication of a run; ``licence`` is its base's."""

    run: str
    licence: str

    def details(self) -> list[str]:
        """Return the lines that describe the content, for a terminal."""
        return [f"  licence   {self.licence}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetPublication(Publication):
    """The publication of an export: samples by side, and what a public repository leaves out and includes by name."""

    samples: dict[str, int]
    left_out: dict[str, int]
    left_out_from: dict[str, int]
    left_out_ids: list[str]
    included: dict[str, int]

    def details(self) -> list[str]:
        """Return the lines that describe the content, for a terminal."""
        lines = [f"  samples   {listed(self.samples)}"]
        if self.left_out:
            lines += [f"  left out  {listed(self.left_out)}"]
            lines += [f"            {count:,} from {source}" for source, count in self.left_out_from.items()]
            lines += ["            (--private publishes them for you alone; --include-private NAME names exceptions)"]
        if self.included:
            lines += [f"  included  {listed(self.included)} (by name; the manifest lists them)"]
        return lines


def completed(planned: P, outcome: Outcome, url: str) -> P:
    """Return a planned publication with what the upload did."""
    return replace(
        planned,
        action="published" if outcome.changed else "unchanged, no commit",
        files=outcome.files,
        deleted=outcome.deleted,
        commit=outcome.commit,
        url=url,
        warnings=outcome.warnings + planned.warnings,
    )
