"""What of an export may be shown to everybody. Pure: rows in, rows out, and what stayed behind.

``rights`` comes from the source's folder in persona.toml. Only ``own`` and ``licensed`` lines go into a public
repository; anything else needs somebody to name it, and the manifest then says that it was named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from curation.errors import UsageError
from curation.export.exported_rows import Row, Rows

PUBLISHABLE = frozenset({"own", "licensed"})


@dataclass(slots=True)
class Held:
    """What stayed behind, and what somebody let through: ids of samples by rights, counts by source and by name."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    sources: Counter[str] = field(default_factory=Counter)
    included: Counter[str] = field(default_factory=Counter)
    prompts: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """Samples that stayed behind, by rights; ``held_out_prompts`` counts prompts for evaluation."""
        samples = {name: len(ids) for name, ids in sorted(self.ids.items())}
        return samples | ({"held_out_prompts": self.prompts} if self.prompts else {})


def public(rows: Rows, include: Sequence[str] = ()) -> tuple[Rows, Held]:
    """Return the rows that may be public and what stayed behind.

    ``include`` lets through what it names: a sample's id, a source file or a source folder. Raises UsageError for a
    name that lets nothing through: it is mistyped, or nobody needs it any more.
    """
    held = Held()
    names = [name.rstrip("/") for name in include]
    # The same samples stand in both configurations: the chat rows say which, and are counted once.
    allowed = {row["id"] for side in rows.chat.values() for row in side if _allowed(row, names, held)}
    prompts = [row for row in rows.held_out if _may_leave(row) or _named(row, names)]
    held.prompts = len(rows.held_out) - len(prompts)
    if unused := [name for name in names if name not in held.included]:
        raise UsageError(
            f"--include-private {unused[0]}: no private sample has this id or comes from this file or folder. "
            f"Sources that need a name: {', '.join(sorted(held.sources)) or 'none'}."
        )
    data = {
        config: {side: [row for row in content if row["id"] in allowed] for side, content in sides.items()}
        for config, sides in rows.data.items()
    }
    return Rows(data, prompts), held


def _allowed(row: Row, names: Iterable[str], held: Held) -> bool:
    if _may_leave(row):
        return True
    if name := _named(row, names):
        held.included[name] += 1
        return True
    held.ids.setdefault(str(row["rights"]), []).append(row["id"])
    held.sources[row["source"]] += 1
    return False


def _may_leave(row: Row) -> bool:
    # An export of an older version says nothing about its prompts: nothing said is `unknown`.
    return row.get("rights", "unknown") in PUBLISHABLE


def _named(row: Row, names: Iterable[str]) -> str | None:
    source = row.get("source", "")
    return next((n for n in names if n in (row["id"], source) or source.startswith(f"{n}/")), None)
