"""The part of an export that may be public. Pure: rows in, rows out, and what was left out.

The rights of a row come from its source folder in persona.toml. Only ``own`` and ``licensed`` rows go into a public
repository. The user must name any other row that is to be included, and the manifest then lists the name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

from curation.contracts.rows import AboutRow, HeldOutRow
from curation.errors import UsageError
from curation.export.exported_rows import Rows

PUBLISHABLE = frozenset({"own", "licensed"})

R = TypeVar("R", bound=AboutRow)


@dataclass(slots=True, kw_only=True)
class Held:
    """What was left out, and what was included by name: ids of samples by rights, counts by source and by name."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    sources: Counter[str] = field(default_factory=Counter)
    included: Counter[str] = field(default_factory=Counter)
    prompts: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """The samples left out, by rights; ``held_out_prompts`` counts held-out prompts."""
        samples = {name: len(ids) for name, ids in sorted(self.ids.items())}
        return samples | ({"held_out_prompts": self.prompts} if self.prompts else {})


def public(rows: Rows, include: Sequence[str] = ()) -> tuple[Rows, Held]:
    """Return the rows that may be public, and what was left out.

    Groups are named after the rows that are left, since the id of a row that stays private is a hash of its text.
    ``include`` names rows to include: a sample's id, a source file or a source folder. Raises UsageError for a name
    that includes nothing: it is mistyped or no longer needed.
    """
    held = Held()
    names = [name.rstrip("/") for name in include]
    # `instruct` holds the same samples, so the chat rows alone are counted.
    allowed = {row["id"] for row in rows.samples if _is_allowed(row, names, held)}
    prompts = [row for row in rows.held_out if _is_publishable(row) or _name_of(row, names)]
    held.prompts = len(rows.held_out) - len(prompts)
    if unused := [name for name in names if name not in held.included]:
        raise UsageError(
            f"--include-private {unused[0]}: no private sample has this id or comes from this file or folder. "
            f"Sources that need a name: {', '.join(sorted(held.sources)) or 'none'}."
        )
    # A reply that was rejected is of a sample that is not exported: its own rights decide.
    exported = {row["id"] for row in rows.samples}
    opinions = [row for sides in (rows.preferences, rows.labels) for side in sides.values() for row in side]
    judged = allowed | {
        row["id"] for row in opinions if row["id"] not in exported and (_is_publishable(row) or _name_of(row, names))
    }
    return (
        Rows(
            chat={side: _published(content, allowed) for side, content in rows.chat.items()},
            instruct={side: _published(content, allowed) for side, content in rows.instruct.items()},
            held_out=prompts,
            preferences={side: _published(content, judged) for side, content in rows.preferences.items()},
            labels={side: _published(content, judged) for side, content in rows.labels.items()},
        ),
        held,
    )


def _published(content: Sequence[R], allowed: Container[str]) -> list[R]:
    """Return the allowed rows of one side, with groups that are named after the lowest id left in them."""
    kept = [row for row in content if row["id"] in allowed]
    first: dict[str, str] = {}
    for row in sorted(kept, key=lambda row: row["id"]):
        first.setdefault(str(row.get("group")), row["id"])
    # A row of an older version's export does not have a group.
    return [cast(R, {**row, "group": first[row["group"]]}) if row.get("group") else row for row in kept]


def _is_allowed(row: AboutRow, names: Iterable[str], held: Held) -> bool:
    if _is_publishable(row):
        return True
    if name := _name_of(row, names):
        held.included[name] += 1
        return True
    held.ids.setdefault(row["rights"], []).append(row["id"])
    held.sources[row["source"]] += 1
    return False


def _is_publishable(row: AboutRow | HeldOutRow) -> bool:
    # An export of an older version does not name the rights of its prompts: they count as `unknown`.
    return row.get("rights", "unknown") in PUBLISHABLE


def _name_of(row: AboutRow | HeldOutRow, names: Iterable[str]) -> str | None:
    """Return the first name that includes the row."""
    source = row.get("source", "")
    return next((n for n in names if n in (row["id"], source) or source.startswith(f"{n}/")), None)
